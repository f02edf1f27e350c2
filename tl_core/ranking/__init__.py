"""Ranking: transferability scores, which foretell from a network's features how well it suits a dataset. A score is one module of
this package, and needs neither Keras nor a training.

Scores of one dataset may be compared between networks, those of different datasets never.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.registry import Part, Registry

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

__all__ = ["Labels", "Matrix", "TransferabilityScore", "build", "register", "scores"]


class TransferabilityScore(Part):
    """Says in one number how well the features of a frozen network tell the classes of some examples apart: more is better."""

    percent: ClassVar[bool] = False
    """Whether a value is a share (0..1), which people read in percent."""
    needs_classifier: ClassVar[bool] = False
    """Whether it needs what the network's own classifier, of the classes that it learned from, makes of the examples."""

    @abstractmethod
    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        """Return the score; NaN where these examples give none.

        Args:
            features: (n, d), finite, n and d at least 1.
            labels: Class indices (n,) from 0 on; a class may have no example.
            source: Probabilities (n, z) of the classes of the network's own classifier, where it has one.
        """

    def values(self, features: Matrix, labels: Labels, samples: Sequence[Labels], source: Matrix | None = None) -> Matrix:
        """Return the score of each of `samples`, indices of examples. Other arguments as in `value`."""
        return np.array([self.value(features[rows], labels[rows], None if source is None else source[rows]) for rows in samples])


scores: Registry[TransferabilityScore] = Registry("ranking", "tl_core.ranking")
register = scores.register
build = scores.build
