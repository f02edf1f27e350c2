"""The nearest of many points, by brute force."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROWS = 512
"""Of so many points the distances to all others are in memory at a time."""

Matrix = NDArray[np.float64]


class Nearest(NamedTuple):
    """Which points are the nearest to each of some others, `places` (n, k), and how far they are, `distances` (n, k); the nearest
    first."""

    places: NDArray[np.intp]
    distances: Matrix


def nearest(points: Matrix, among: Matrix, k: int) -> Nearest:
    """Return the `k` of `among` (m, d), which are no fewer, that are the nearest to each of `points` (n, d)."""
    lengths = (among**2).sum(axis=1)
    return _joined(
        [_nearest(_squared(part, among, lengths), part, k) for part in np.split(points, range(ROWS, len(points), ROWS))]
    )


def nearest_others(points: Matrix, k: int) -> Nearest:
    """Return the `k` others, which are no fewer, that are the nearest to each of `points` (n, d)."""
    lengths, found = (points**2).sum(axis=1), list[Nearest]()
    for begin in range(0, len(points), ROWS):
        part = points[begin : begin + ROWS]
        squared = _squared(part, points, lengths)
        squared[np.arange(len(part)), begin + np.arange(len(part))] = np.inf
        found.append(_nearest(squared, part, k))
    return _joined(found)


def _squared(part: Matrix, among: Matrix, lengths: Matrix) -> Matrix:
    """Return squared distances, each less the squared length of the row's own point: the order is the same."""
    return np.asarray(lengths - 2 * part @ among.T)


def _nearest(squared: Matrix, part: Matrix, k: int) -> Nearest:
    places = np.argsort(squared, axis=1, kind="stable")[:, :k]
    whole = np.take_along_axis(squared, places, axis=1) + (part**2).sum(axis=1)[:, None]
    return Nearest(places, np.sqrt(np.maximum(whole, 0.0)))


def _joined(parts: list[Nearest]) -> Nearest:
    return Nearest(*(np.concatenate(each) for each in zip(*parts, strict=True)))
