"""Scores that are shares of examples: what they share."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.ranking import Labels, Matrix, TransferabilityScore


class ShareCorrect(TransferabilityScore):
    """The share of examples whose class is told by a model that has not learned from them."""

    percent: ClassVar[bool] = True

    @abstractmethod
    def correct(self, features: Matrix, labels: Labels) -> NDArray[np.bool_]:
        """Return of which examples (n,) the class is told. Arguments as in `value`."""

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        return float(self.correct(features, labels).mean())

    def values(self, features: Matrix, labels: Labels, samples: Sequence[Labels], source: Matrix | None = None) -> Matrix:
        """Return the share in each of `samples`. Models are not fitted anew: a test set of so many others would be drawn."""
        correct = self.correct(features, labels)
        return np.array([correct[rows].mean() for rows in samples])
