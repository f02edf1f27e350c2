"""Cross-validated linear probe."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core import heads
from tl_core.heads.logistic_regression import FIRST_STRENGTH, folds
from tl_core.ranking import Labels, Matrix, register
from tl_core.ranking._shares import ShareCorrect


@register("linear_probe")
class LinearProbeScore(ShareCorrect):
    """Accuracy of logistic regression on the features, in cross-validation of five folds: what a linear probe would reach.

    Features are centred and divided by their length. With nearest neighbours this is the score that foretells best (Sorkhei et
    al. 2025, arXiv 2503.18528), and the only one whose number means something by itself.
    """

    title: ClassVar[str] = "Linear probe, cross-validated"
    listing_order: ClassVar[int] = 10

    strength: float = Field(
        FIRST_STRENGTH,
        gt=0,
        le=1e9,
        title="Inverse penalty C",
        description="Inverse penalty C on large weights, the same for all networks; features have length 1.",
    )

    def correct(self, features: Matrix, labels: Labels) -> NDArray[np.bool_]:
        """Return of which examples the class is told. One that is alone in its class never is: nobody could."""
        found = np.zeros(len(labels), bool)
        for held in folds(labels, len(labels)):
            head = heads.logistic(features[~held], labels[~held], int(labels.max()) + 1, strength=self.strength)
            found[held] = head.logits(features[held]).argmax(axis=1) == labels[held]
        return found
