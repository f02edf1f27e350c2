"""How far two datasets lie apart as one network sees them: maximum mean discrepancy, and the Frechet distance of Gaussians."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.ranking import SAMPLES, T95, Scored, deviation
from tl_core.analysis.statistics import Interval

Matrix = NDArray[np.float64]


def frechet(one: Matrix, other: Matrix) -> float:
    """Return the squared Frechet distance of the Gaussians that are fitted to features (n, d) and (m, d), of two examples or more
    each (Dowson and Landau 1982; of images Heusel et al. 2017, arXiv 1706.08500). The fewer examples there are, the more it is
    above the truth.

    The trace of the root of the product of both covariances is the nuclear norm of the product of the centred features, so that
    no matrix of d rows has a root to be drawn from.
    """
    centred = [(side - side.mean(axis=0)) / sqrt(len(side) - 1) for side in (one, other)]
    spreads = sum(float(np.vdot(side, side)) for side in centred)
    gap = one.mean(axis=0) - other.mean(axis=0)
    common = float(np.linalg.norm(centred[0] @ centred[1].T, "nuc"))
    return max(0.0, float(gap @ gap) + spreads - 2 * common)


def mmd(one: Matrix, other: Matrix) -> Scored:
    """Return the squared maximum mean discrepancy of features (n, d) and (m, d), of four examples or more each, and that of
    `SAMPLES` pairs of halves of them, the same ones for the same n.

    It is the estimate without bias (Gretton et al. 2012, A kernel two-sample test), which is below 0 as often as above where both
    are of one kind, with the kernel of the kernel inception distance, (x.y / d + 1)^3 (Binkowski et al. 2018, arXiv 1801.01401).
    """
    within, beyond, across = _kernel(one, one), _kernel(other, other), _kernel(one, other)
    halves = zip(_halves(len(one)), _halves(len(other)), strict=True)
    samples = (_unbiased(within[np.ix_(a, a)], beyond[np.ix_(b, b)], across[np.ix_(a, b)]) for a, b in halves)
    return Scored(_unbiased(within, beyond, across), tuple(samples))


def interval(found: Scored) -> Interval:
    """Return the 95% interval of a discrepancy, by its halves."""
    half = T95 * deviation(found.samples)
    return Interval(found.value - half, found.value + half)


def _kernel(one: Matrix, other: Matrix) -> Matrix:
    return np.asarray((one @ other.T / one.shape[1] + 1) ** 3)


def _unbiased(within: Matrix, beyond: Matrix, across: Matrix) -> float:
    """Return the discrepancy by the kernel's values among the examples of either side, and across both."""
    own = ((side.sum() - np.trace(side)) / (len(side) * (len(side) - 1)) for side in (within, beyond))
    return float(sum(own) - 2 * across.mean())


def _halves(n: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(0)
    return [rng.permutation(n)[: n // 2] for _ in range(SAMPLES)]
