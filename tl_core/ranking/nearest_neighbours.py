"""Nearest neighbours, each example left out."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core import heads
from tl_core.analysis.neighbours import nearest_others
from tl_core.ranking import Labels, Matrix, register
from tl_core.ranking._shares import ShareCorrect


@register("nearest_neighbours")
class NearestNeighboursScore(ShareCorrect):
    """Share of the examples whose nearest others are of their class, by the cosine of centred features.

    It fits nothing, and foretells about as well as a linear probe (Sorkhei et al. 2025, arXiv 2503.18528).
    """

    title: ClassVar[str] = "Nearest neighbours"
    listing_order: ClassVar[int] = 20

    k: int = Field(5, ge=1, le=100, title="Neighbours", description="So many nearest others vote; ties go to the nearest.")
    normalise: bool = Field(True, title="Normalise", description="Centre features and divide them by their length.")

    def correct(self, features: Matrix, labels: Labels) -> NDArray[np.bool_]:
        k = min(self.k, len(labels) - 1)
        if k == 0:
            return np.zeros(1, bool)
        points = heads.normalised(features, features.mean(axis=0), (features.shape[1],)) if self.normalise else features
        return np.asarray(_votes(labels, nearest_others(points, k).places, int(labels.max()) + 1) == labels)


def _votes(labels: Labels, nearest: Labels, classes: int) -> Labels:
    """Return the class that most of the `nearest` (rows, k) are of."""
    rows, k = nearest.shape
    votes = np.zeros((rows, classes))
    for place in range(k):
        # A nearer vote counts for a little more, so little that all of it together decides ties alone.
        votes[np.arange(rows), labels[nearest[:, place]]] += 1 + 0.5 ** (place + 1)
    return votes.argmax(axis=1)
