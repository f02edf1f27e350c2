"""Intervals and tests for accuracies and other means."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""Two-sided 95% quantile of the normal distribution."""


@dataclass(frozen=True)
class Interval:
    """Lower and upper bound, in the unit of what lies between them."""

    low: float
    high: float


def wilson(correct: int, total: int) -> Interval:
    """Return the 95% Wilson score interval of the share `correct / total` (Wilson 1927). It stays within 0..1 and is honest near
    the ends, where the usual plus-minus is not. `total` is at least 1."""
    share = correct / total
    centre = (share + Z95**2 / (2 * total)) / (1 + Z95**2 / total)
    half = Z95 / (1 + Z95**2 / total) * sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
    # Near 0 and 1 rounding may leave a bound on the wrong side of the share.
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def mean_interval(values: Sequence[float] | NDArray[np.float64], lowest: float = -inf, highest: float = inf) -> Interval:
    """Return the 95% interval of the mean of at least two `values` by Student's t, within `lowest`..`highest`, between which all
    values are."""
    from scipy.stats import t  # takes a second to import, and few pages need it

    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values))
    half = float(t.ppf(0.975, len(values) - 1)) * error
    return Interval(max(lowest, mean - half), min(highest, mean + half))


def mean_share_interval(correct: Sequence[int], totals: Sequence[int]) -> Interval:
    """Return the 95% interval of the plain mean of the independent shares `correct / totals`, within 0..1.

    The distances from each share to the ends of its Wilson interval are added as variances are ("MOVER": Newcombe 1998; Zou and
    Donner 2008). There is at least one share, and each of `totals` is at least 1.
    """
    shares = [part / whole for part, whole in zip(correct, totals, strict=True)]
    intervals = [wilson(part, whole) for part, whole in zip(correct, totals, strict=True)]
    mean = float(np.mean(shares))
    below = sqrt(sum((share - each.low) ** 2 for share, each in zip(shares, intervals, strict=True))) / len(shares)
    above = sqrt(sum((each.high - share) ** 2 for share, each in zip(shares, intervals, strict=True))) / len(shares)
    return Interval(max(0.0, mean - below), min(1.0, mean + above))


def difference_interval(value: float, interval: Interval, other: float, other_interval: Interval) -> Interval:
    """Return the 95% interval of `value - other`, of two numbers that were measured on independent samples, each with its own.

    The distances to the ends of both are added as variances are ("MOVER": Zou and Donner 2008). Of two shares with Wilson's
    intervals it is Newcombe's (1998, Interval estimation for the difference between independent proportions, method 10).
    """
    below = sqrt((value - interval.low) ** 2 + (other_interval.high - other) ** 2)
    above = sqrt((interval.high - value) ** 2 + (other - other_interval.low) ** 2)
    return Interval(value - other - below, value - other + above)


@dataclass(frozen=True)
class Paired:
    """Two models on the same test images: how many only the first, and only the second, got right, and the
    two-sided p-value of the exact McNemar test that they are equally good."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Return the exact binomial McNemar test of two models' correctness (n,) on the same images (McNemar 1947)."""
    from scipy.stats import binomtest  # takes a second to import, and few pages need it

    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    differing = only_first + only_second
    p_value = float(binomtest(only_first, differing, 0.5).pvalue) if differing else 1.0
    return Paired(only_first, only_second, p_value)
