"""Softmax regression with a group lasso, which sets the whole row of a useless feature to 0."""

from dataclasses import dataclass

import numpy as np

from tl_core.heads.head import Labels, Matrix

PENALTY_SHARE = 0.3
"""The penalty, relative to the least that keeps all rows at 0. On features of all blocks of EfficientNet-Lite0 weaker ones
selected no better and took three to a hundred times longer."""
TOLERANCE = 0.01
"""How exactly the conditions of the optimum hold, relative to the penalty. A ranking needs no more."""
ITERATIONS = 5000
WORKING_SET = 100
"""Features that the solver begins with; their number may double each time that others have to enter."""


@dataclass(frozen=True, eq=False)
class GroupLasso:
    """A softmax regression that uses few of its features.

    `kernel` (features, classes), `bias` (classes,). `slopes` (features,) are the norms of the gradient of the loss by each
    row: equal to `penalty` where the row is not 0, and at most that where it is.
    """

    kernel: Matrix
    bias: Matrix
    slopes: Matrix
    penalty: float
    converged: bool

    @property
    def scores(self) -> Matrix:
        """Return how much each feature is used, (features,): the L2 norm of its row."""
        return np.asarray(np.linalg.norm(self.kernel, axis=1))

    def ranking(self) -> Labels:
        """Return indices of the features, the most useful first: by score, and those at 0 by how near they are to entering."""
        return np.lexsort((-self.slopes, -self.scores))


def group_lasso(points: Matrix, labels: Labels, weights: Matrix, share: float = PENALTY_SHARE) -> GroupLasso:
    """Minimise the mean cross-entropy plus a penalty times the sum of the L2 norms of the kernel's rows.

    `points` (images, features) are standardised, `labels` (images,) count classes of which each has an image, and images
    weigh what their class does in `weights` (classes,). The penalty is `share` of the least that keeps all rows at 0.

    Only a working set of features is solved for; then those whose slope exceeds the penalty enter, until there are none.
    """
    images = np.hstack([points, np.ones((len(points), 1))])
    targets, parts = np.eye(len(weights))[labels], weights[labels] / weights[labels].sum()
    kernel = np.zeros((images.shape[1], len(weights)))
    kernel[-1] = np.log(parts @ targets)  # the last row is the bias, at its optimum for a kernel of 0
    slopes = _slopes(images, targets, parts, kernel)
    penalty, converged = share * float(slopes.max()), True
    active = np.zeros(len(slopes), bool)
    while (lacking := ~active & (slopes > penalty * (1 + TOLERANCE))).any():
        room = min(int(lacking.sum()), max(WORKING_SET, int(active.sum())))
        active[np.argsort(np.where(lacking, -slopes, 0.0), kind="stable")[:room]] = True
        rows = np.append(active, True)
        kernel[rows], done = fista(images[:, rows], targets, parts, penalty, kernel[rows])
        converged &= done
        slopes = _slopes(images, targets, parts, kernel)
    return GroupLasso(kernel[:-1], kernel[-1], slopes, penalty, converged)


def fista(images: Matrix, targets: Matrix, parts: Matrix, penalty: float, start: Matrix) -> tuple[Matrix, bool]:
    """Run accelerated proximal gradient descent (Beck & Teboulle 2009) from `start`; return the kernel, and whether it settled.

    The last row of the kernel is not penalised. Momentum starts anew whenever it points uphill (O'Donoghue & Candes 2015).

    Args:
        images: (images, coordinates + 1), of which the last column is all ones.
        targets: The class of each image, one-hot (images, classes).
        parts: The share of each image in the loss (images,), 1 in all.
        penalty: What multiplies the sum of the L2 norms of the kernel's rows.
        start: (coordinates + 1, classes).
    """
    pace = _curvature(images, parts)
    kernel = ahead = start
    momentum = 1.0
    for _ in range(ITERATIONS):
        moved = ahead - _gradient(images, targets, parts, ahead) / pace
        lengths = np.linalg.norm(moved[:-1], axis=1, keepdims=True)
        moved[:-1] *= np.maximum(0.0, 1.0 - penalty / pace / np.maximum(lengths, np.finfo(float).tiny))
        if np.linalg.norm(ahead - moved, axis=1).max() * pace <= TOLERANCE * penalty:
            return moved, True
        if ((ahead - moved) * (moved - kernel)).sum() > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / following * (moved - kernel)
        kernel, momentum = moved, following
    return kernel, False


def _gradient(images: Matrix, targets: Matrix, parts: Matrix, kernel: Matrix) -> Matrix:
    from scipy.special import softmax

    return images.T @ (parts[:, None] * (softmax(images @ kernel, axis=1) - targets))


def _slopes(images: Matrix, targets: Matrix, parts: Matrix, kernel: Matrix) -> Matrix:
    return np.asarray(np.linalg.norm(_gradient(images, targets, parts, kernel)[:-1], axis=1))


def _curvature(images: Matrix, parts: Matrix) -> float:
    """Return the loss's largest possible curvature: half the top eigenvalue of the images' second moments (Boehning 1992)."""
    from scipy.linalg import eigvalsh

    rooted = images * np.sqrt(parts)[:, None]
    moments = rooted @ rooted.T if len(rooted) < rooted.shape[1] else rooted.T @ rooted
    last = len(moments) - 1
    return float(eigvalsh(moments, subset_by_index=(last, last))[0]) / 2
