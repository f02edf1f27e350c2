"""Ridge regression with any penalty, and what it says of each image when that is left out, from one eigendecomposition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.heads.head import Matrix

PENALTIES = tuple(10.0 ** (power / 2) for power in range(-6, 9))
"""Ridge penalties that are tried, for points whose mean squared length is 1."""
EIGEN_PRODUCTS = 10
"""What an eigendecomposition takes of n^3 multiply-adds."""
ROWS = 4096
"""Images whose points are in 64 bits at a time, where there are very many in 32."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """Least `weights` * squared errors plus a penalty on the squared kernel, for `points` (images, coordinates) and `targets`
    (images, outputs), about which there is nothing left to compute but what depends on the penalty.

    `lengths` (coordinates,) and `axes` (coordinates, coordinates) are of the weighted second moments about `centre`, and `goals`
    (coordinates, outputs) what `axes` make of their products with the targets about `level`.
    """

    points: Matrix
    targets: Matrix
    weights: Matrix
    centre: Matrix
    level: Matrix
    lengths: Matrix
    axes: Matrix
    goals: Matrix

    @classmethod
    def of(cls, points: Matrix, targets: Matrix, weights: Matrix) -> "Ridge":
        """Compute the moments of the points: a matrix of the size of the coordinates, however many images there are."""
        shares = weights / weights.sum()
        centre, level = shares @ points, shares @ targets
        moments, products = np.zeros((points.shape[1],) * 2), np.zeros((points.shape[1], targets.shape[1]))
        for images in _slices(len(points)):
            rooted = np.sqrt(weights[images])[:, None] * (points[images] - centre)
            moments += rooted.T @ rooted
            products += rooted.T @ (np.sqrt(weights[images])[:, None] * (targets[images] - level))
        lengths, axes = np.linalg.eigh(moments)
        return cls(points, targets, weights, centre, level, np.maximum(lengths, 0), axes, axes.T @ products)

    def coefficients(self, penalty: float) -> tuple[Matrix, Matrix]:
        """Return kernel (coordinates, outputs) and bias (outputs,)."""
        kernel = self.axes @ (self.goals / (self.lengths + penalty)[:, None])
        return kernel, self.level - self.centre @ kernel

    def left_out(self, penalty: float) -> Matrix:
        """Return what is said of each image (images, outputs) by a fit to all others."""
        return self.left_out_by([penalty])[0]

    def left_out_by(self, penalties: Sequence[float]) -> Matrix:
        """Return what `left_out` does, (penalties, images, outputs) for several of them."""
        parts = [np.stack(list(self._without(images, turned, penalties))) for images, turned in self._turned()]
        return np.concatenate(parts, axis=1)

    def errors(self, penalties: Sequence[float]) -> Matrix:
        """Return the weighted sum of the squared errors when each image is left out, for each of the penalties."""
        found = np.zeros(len(penalties))
        for images, turned in self._turned():
            for place, said in enumerate(self._without(images, turned, penalties)):
                found[place] += self.weights[images] @ ((said - self.targets[images]) ** 2).sum(axis=1)
        return found

    def _turned(self) -> Iterator[tuple[slice, Matrix]]:
        """Yield some images at a time, and their points about the centre along the axes."""
        for images in _slices(len(self.points)):
            yield images, (self.points[images] - self.centre) @ self.axes

    def _without(self, images: slice, turned: Matrix, penalties: Sequence[float]) -> Iterator[Matrix]:
        weights, targets = self.weights[images], self.targets[images]
        squared = turned**2
        for penalty in penalties:
            said = self.level + turned @ (self.goals / (self.lengths + penalty)[:, None])
            pull = weights * (1 / self.weights.sum() + squared @ (1 / (self.lengths + penalty)))
            yield targets - (targets - said) / (1 - pull)[:, None]


def multiply_adds(images: int, features: int, outputs: int) -> float:
    """Return the multiply-adds of the second moments, of their eigendecomposition, and of all penalties that are tried."""
    coordinates = min(images, features)
    tried = len(PENALTIES) * images * coordinates * outputs
    return tried + 2.0 * images * coordinates**2 + EIGEN_PRODUCTS * coordinates**3


def _slices(images: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, images, ROWS))
