"""LogME: the evidence of linear models."""

from math import nan
from typing import ClassVar

import numpy as np

from tl_core.heads.threads import one_thread
from tl_core.ranking import Labels, Matrix, TransferabilityScore, register

STEPS, TOLERANCE, TINY = 11, 1e-3, 1e-5


@register("logme")
class LogME(TransferabilityScore):
    """Logarithm of the evidence: how probable the labels are under linear models of the features, whatever their weights.

    One model a class against all others, without a bias; the precision of weights and of noise are those of the largest evidence,
    by fixed-point steps (You et al. 2021, arXiv 2102.11005).
    """

    title: ClassVar[str] = "LogME"
    listing_order: ClassVar[int] = 30

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        return _log_evidence(features, labels)


@one_thread
def _log_evidence(features: Matrix, labels: Labels) -> float:
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    if not singular.max() > 0:
        return nan
    found = [_of_class(left, singular**2, features.shape, (labels == each).astype(float)) for each in np.unique(labels)]
    return float(np.mean(found))


def _of_class(left: Matrix, sigma: Matrix, shape: tuple[int, ...], target: Matrix) -> float:
    """Return the logarithm of the evidence per example of one class against all others.

    Args:
        left: The left singular vectors of the features (n, r).
        sigma: Their squared singular values (r,).
        shape: (n, d).
        target: 1 for examples of the class, else 0 (n,).
    """
    n, d = shape
    squares = (left.T @ target) ** 2
    outside = target @ target - squares.sum()
    alpha = beta = 1.0
    for _ in range(STEPS):
        ratio = alpha / beta
        gamma = (sigma / (sigma + ratio)).sum()
        weights = (sigma * squares / (ratio + sigma) ** 2).sum()
        residual = (squares / (1 + sigma / ratio) ** 2).sum() + outside
        alpha, beta = gamma / (weights + TINY), (n - gamma) / (residual + TINY)
        if abs(alpha / beta - ratio) / ratio <= TOLERANCE:
            break
    determinant = np.log(alpha + beta * sigma).sum() + (d - len(sigma)) * np.log(alpha)
    evidence = d * np.log(alpha) + n * np.log(beta) - determinant - beta * residual - alpha * weights - n * np.log(2 * np.pi)
    return float(evidence / 2 / n)
