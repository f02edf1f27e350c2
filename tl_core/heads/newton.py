"""Newton's method for logistic regression: right to 64 bits, though nearly all of its work is done in 32."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.heads.curvature import Curvature, Preconditioner
from tl_core.heads.head import Labels, Matrix

STEPS = 1000
"""Newton steps at most, as many as L-BFGS may take. 100 and more were seen for C from 1e7 on, with features or classes of very
different size."""
INNER = 1000
"""Steps of conjugate gradients in one of Newton's, at most. With 200 a weak penalty on wrong labels took five times as long."""
FORCING_TERM = 0.1
"""How much of the gradient a step of Newton's leaves, as its linear model has it. A fifth of that takes a fifth longer in all."""
GRADIENT_TOLERANCE = 1e-8
"""The largest entry of the gradient of the mean loss at the end.

No probability of other images was off by more than 4e-5 for C up to 1e3, and by 0.005 at 1e5 (sign digits, 2 to 139 labels a
class, with 40 % of the labels wrong, or of two classes, and scikit-learn's digits; against its newton-cg to 1e-11). Ten times
more was off by ten times as much, and hardly quicker. L-BFGS takes longer to get to 1e-6, and is off by up to 0.04 there."""
LEAST_STEP = 1e-14
"""How small a part of Newton's step is tried at the least. One of a millionth was needed in some of a hundred problems that were
made to be hard, and C beyond all measure."""
ENOUGH_DESCENT = 1e-4
"""Armijo's condition: how much of what the slope promises a step has to keep."""
ROUNDING_ERROR = 1e-12
"""A loss that rises by less than this has not risen: the sum of some thousand losses is no more exact."""


NEARLY, NEARLY_NOISE = 3e-5, 1e-6
"""The same for points in 32 bits: those of fits that are compared with each other, and of very many images."""


class Minimum(NamedTuple):
    """Where a fit ended, after how many steps, and whether it settled. `coefficients` (coordinates + 1, classes) are kernel and
    bias, one above the other; the `preconditioner`, where one was made, serves the next fit to such points."""

    coefficients: Matrix
    steps: int
    settled: bool
    preconditioner: Preconditioner | None = None

    @property
    def kernel(self) -> Matrix:
        """Return the kernel (coordinates, classes)."""
        return self.coefficients[:-1]

    @property
    def bias(self) -> Matrix:
        """Return the bias (classes,)."""
        return self.coefficients[-1]


class Loss(NamedTuple):
    """The loss at some coefficients, and what it follows from: logits and probabilities (images, classes)."""

    value: float
    logits: Matrix
    probabilities: Matrix


class Objective:
    """The mean cross-entropy of softmax(`points` @ kernel + bias), images weighing as given, plus a penalty on |kernel|^2 / 2.

    Coefficients are as in `Minimum`. Where the points are float32 it is computed so, but for the sums over images, and no more
    exactly than `NEARLY`.

    Args:
        points: (images, coordinates).
        labels: The class of each image (images,).
        weights: Of the images (images,).
        penalty: Above 0.
        preconditioner: Of another fit to such points, whatever its penalty; it serves until a better one is worth making.
    """

    def __init__(
        self, points: Matrix, labels: Labels, weights: Matrix, penalty: float, preconditioner: Preconditioner | None = None
    ) -> None:
        self.points, self.narrow = points, points.astype(np.float32, copy=False)
        self.nearly = points.dtype == np.float32
        self.preconditioner = preconditioner
        self._products = 0
        self.settled, self.noise = (NEARLY, NEARLY_NOISE) if self.nearly else (GRADIENT_TOLERANCE, ROUNDING_ERROR)
        self.right = np.arange(len(labels)), labels
        self.shares = (weights / weights.sum()).astype(points.dtype)[:, None]
        self.penalties = np.full((points.shape[1] + 1, 1), penalty)
        self.penalties[-1] = 0.0  # the bias is free

    def at(self, coefficients: Matrix, logits: Matrix) -> Loss:
        """Return the loss of `coefficients` that give these `logits`."""
        from scipy.special import log_softmax

        likely = np.asarray(log_softmax(logits, axis=1))
        penalty = float((self.penalties * coefficients**2).sum()) / 2
        return Loss(penalty - float(self.shares[:, 0] @ likely[self.right]), logits, np.exp(likely))

    def gradient(self, coefficients: Matrix, probabilities: Matrix) -> Matrix:
        """Return the gradient of the loss by each of `coefficients`."""
        errors = self.shares * probabilities
        errors[self.right] -= self.shares[:, 0]
        return _gathered(self.points, errors) + self.penalties * coefficients

    def direction(self, gradient: Matrix, probabilities: Matrix) -> Matrix:
        """Return Newton's direction, by conjugate gradients in 32 bits (Lin, Weng & Keerthi 2008, without their trust region),
        preconditioned anew where the last direction took more products than that does.

        That is exact enough for a step, since what it lacks the next one finds: the gradient is computed in 64.
        """
        length = float(np.linalg.norm(gradient))
        narrow = (each.astype(np.float32, copy=False) for each in (probabilities, self.shares, self.penalties))
        curvature = Curvature(self.narrow, *narrow, most=self.nearly)
        if self._products > curvature.products:
            self.preconditioner = curvature.preconditioner()
        undone = self.preconditioner.with_penalties(curvature.penalties) if self.preconditioner else np.copy
        left = (-gradient / length).astype(np.float32)
        ahead = undone(left)
        found, descent = np.zeros_like(left), float(np.vdot(left, ahead))
        for self._products in range(1, INNER + 1):
            bent = curvature.times(ahead)
            curved = float(np.vdot(ahead, bent))
            if curved <= 0:  # none that 32 bits can tell
                break
            pace = np.float32(descent / curved)
            found += pace * ahead
            left -= pace * bent
            if float(np.vdot(left, left)) <= FORCING_TERM**2:
                break
            towards = undone(left)
            before, descent = descent, float(np.vdot(left, towards))
            ahead *= np.float32(descent / before)
            ahead += towards
        return found.astype(np.float64) * length


def newton(objective: Objective, start: Matrix) -> Minimum:
    """Minimise an `objective`, from the coefficients `start` on."""
    coefficients, here = start, objective.at(start, _logits(objective.points, start))
    for step in range(STEPS + 1):
        gradient = objective.gradient(coefficients, here.probabilities)
        if np.abs(gradient).max() <= objective.settled:
            return Minimum(coefficients, step, True, objective.preconditioner)
        moved = _descend(objective, coefficients, gradient, here) if step < STEPS else None
        if moved is None:
            break
        coefficients, here = moved
    return Minimum(coefficients, step, False, objective.preconditioner)


def _descend(objective: Objective, coefficients: Matrix, gradient: Matrix, here: Loss) -> tuple[Matrix, Loss] | None:
    """Take Newton's step, or the first of ever smaller ones that descends far enough; return None where there is none."""
    direction = objective.direction(gradient, here.probabilities)
    slope, share = float(np.vdot(gradient, direction)), 1.0
    change = _logits(objective.points, direction)
    while slope < 0 and share >= LEAST_STEP:
        moved = coefficients + share * direction
        there = objective.at(moved, here.logits + share * change)
        if there.value <= here.value + ENOUGH_DESCENT * share * slope + objective.noise:
            return moved, there
        share /= 2
    return None


def _logits(points: NDArray[Any], coefficients: NDArray[Any]) -> NDArray[Any]:
    logits = points @ coefficients[:-1].astype(points.dtype, copy=False)
    logits += coefficients[-1].astype(points.dtype)
    return logits


def _gathered(points: NDArray[Any], errors: NDArray[Any]) -> NDArray[Any]:
    """Return what `errors` of the logits are by the coefficients."""
    return np.vstack([points.T @ errors, errors.sum(axis=0)])
