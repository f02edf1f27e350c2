"""Intervals and tests for accuracies and other means."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import NormalDist

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


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of several tests, corrected so that in 95 % of all cases none below 0.05 is chance (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.asarray(p_values, float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return [float(each) for each in adjusted]


POWER = 0.8
"""How likely a difference is found that counts as one that could have been shown."""


def least_paired_share(images: int, differing: int, level: float) -> float:
    """Return the smallest difference of two shares of the same images that McNemar's test at `level` finds with 80 % power, where
    so many images are `differing`: right for one model alone. It is Connor's (1987) formula, solved for the difference; where
    fewer differ than it asks for, the smallest one with all that differ on one side. It is at most 1."""
    normal = NormalDist()
    for_level, for_power = normal.inv_cdf(1 - level / 2), normal.inv_cdf(POWER)
    rest = for_level**2 * images - (images + for_power**2) * (for_level**2 - for_power**2)
    of_all = (for_level * sqrt(images) + sqrt(max(0.0, rest))) / (images + for_power**2)
    return min(1.0, of_all * max(sqrt(differing / images), of_all))


def least_mean_difference(half_width: float, pairs: int | None, level: float) -> float:
    """Return the smallest mean difference that a test at `level` finds with 80 % power, from half the width of the 95% interval
    of the mean: that of a t test over `pairs`, or of a normal distribution for None."""
    if pairs is None:
        normal = NormalDist()
        return half_width / Z95 * (normal.inv_cdf(1 - level / 2) + normal.inv_cdf(POWER))
    from scipy.optimize import brentq  # takes a second to import, and few pages need it
    from scipy.stats import nct, t

    free = pairs - 1
    needed = float(t.ppf(1 - level / 2, free))
    ratio = brentq(lambda shift: nct.sf(needed, free, shift) - POWER, 0.0, 10 * needed)
    return half_width / float(t.ppf(0.975, free)) * float(ratio)
