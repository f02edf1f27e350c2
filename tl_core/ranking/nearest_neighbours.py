"""Nearest neighbours, each example left out."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core import heads
from tl_core.ranking import Labels, Matrix, register
from tl_core.ranking._shares import ShareCorrect

ROWS = 512
"""Of so many examples the similarities to all others are in memory at a time."""


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
        told = [_votes(labels, _nearest(points, rows, k), int(labels.max()) + 1) for rows in _in_groups(len(labels))]
        return np.concatenate(told) == labels


def _nearest(points: Matrix, rows: Labels, k: int) -> Labels:
    """Return the `k` others (rows, k) that are the nearest to each of `rows`, the nearest first."""
    lengths = (points**2).sum(axis=1)
    distances = lengths - 2 * points[rows] @ points.T  # squared, less the length of the row's own, which is the same for all
    distances[np.arange(len(rows)), rows] = np.inf
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def _votes(labels: Labels, nearest: Labels, classes: int) -> Labels:
    """Return the class that most of the `nearest` (rows, k) are of."""
    rows, k = nearest.shape
    votes = np.zeros((rows, classes))
    for place in range(k):
        # A nearer vote counts for a little more, so little that all of it together decides ties alone.
        votes[np.arange(rows), labels[nearest[:, place]]] += 1 + 0.5 ** (place + 1)
    return votes.argmax(axis=1)


def _in_groups(n: int) -> list[Labels]:
    return [np.arange(start, min(start + ROWS, n)) for start in range(0, n, ROWS)]
