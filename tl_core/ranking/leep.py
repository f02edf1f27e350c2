"""LEEP: what the network's own classifier says of the classes."""

from typing import ClassVar

import numpy as np

from tl_core.errors import SettingError
from tl_core.ranking import Labels, Matrix, TransferabilityScore, register


@register("leep")
class LEEP(TransferabilityScore):
    """Mean logarithm of the probability of the right class, where only the network's own classifier is looked at; at most 0.

    Each class that the network learned foretells the classes here as often as both come together (Nguyen et al. 2020, arXiv
    2002.12462). It is for networks that come with their classifier.
    """

    title: ClassVar[str] = "LEEP"
    listing_order: ClassVar[int] = 70
    needs_classifier: ClassVar[bool] = True

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        if source is None:
            raise SettingError("LEEP needs the network's own classifier.", "Choose another score.", received=self.name)
        return expected_log_probability(source, labels)


def expected_log_probability(source: Matrix, labels: Labels) -> float:
    """Return LEEP of the probabilities `source` (n, z), each row of which sums to 1, and of class indices (n,)."""
    joint = np.stack([source[labels == each].sum(axis=0) for each in range(int(labels.max()) + 1)]) / len(labels)
    given = joint / np.maximum(joint.sum(axis=0), np.finfo(float).tiny)
    chances = (source @ given.T)[np.arange(len(labels)), labels]
    return float(np.log(np.maximum(chances, np.finfo(float).tiny)).mean())
