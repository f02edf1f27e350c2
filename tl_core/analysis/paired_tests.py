"""Paired tests: whether one of two models is better, what is left of that among several comparisons, and the smallest difference
that could have been shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Z95, Interval, holm, least_mean_difference, least_paired_share, mcnemar, mean_interval

SIGNIFICANT = 0.05
"""From this p-value upward two runs count as not told apart."""
FEWEST_SEEDS = 3
"""So many seeds that both sides have tell how far seeds differ; of two, the t test shows next to nothing."""


@dataclass(frozen=True)
class PairedTest:
    """What a paired test found of two sides on the same `images`: by how much the better one leads, in the unit of the metric.

    McNemar's exact test of two runs has its `p_value` and how many images were `differing`, right for one run alone. A paired
    bootstrap of two runs has the 95% `interval` of the lead, if there is one. A paired t test over so many `seeds` has both.
    `corrected` is the p-value by Holm where it is one of several `comparisons`.
    """

    images: int
    lead: float
    p_value: float | None = None
    interval: Interval | None = None
    differing: int | None = None
    seeds: int | None = None
    comparisons: int = 1
    corrected: float | None = None

    @property
    def told_apart(self) -> bool:
        """Return whether it shows that one is better."""
        found = self.own_p if self.corrected is None else self.corrected
        return found is not None and found < SIGNIFICANT

    @property
    def own_p(self) -> float | None:
        """Return the p-value before any correction. Of an interval alone it is that of the normal distribution that leaves 2.5 %
        below its low end (Altman and Bland 2011), so that it is below 0.05 where the interval is above 0."""
        if self.p_value is not None or self.interval is None:
            return self.p_value
        below = self.lead - self.interval.low
        return 2 * NormalDist().cdf(-Z95 * self.lead / below) if below > 0 else float(self.lead <= 0)

    @property
    def least(self) -> float | None:
        """Return the smallest true difference that such data show in four of five cases, however many comparisons are made; None
        where nothing says how far the data vary."""
        level = SIGNIFICANT / self.comparisons
        if self.differing is not None:
            return least_paired_share(self.images, self.differing, level)
        if self.interval is None:
            return None
        return least_mean_difference((self.interval.high - self.interval.low) / 2, self.seeds, level)


def by_mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> PairedTest:
    """Return what the exact McNemar test says of two runs, by which of the same test images (n,) each got right."""
    found = mcnemar(first, second)
    differing = found.only_first + found.only_second
    lead = abs(float(first.mean()) - float(second.mean()))
    return PairedTest(len(first), lead, found.p_value, differing=differing)


def over_seeds(differences: Sequence[float], images: int) -> PairedTest | None:
    """Return what a paired t test says of the differences of two sides, one for each seed that both have, each measured on
    `images`. None where there are too few seeds, or where all differ the same, since seeds then decided nothing."""
    if len(differences) < FEWEST_SEEDS or np.ptp(differences) < 1e-12:
        return None
    from scipy.stats import ttest_1samp  # takes a second to import, and few pages need it

    towards_the_better = np.asarray(differences) * (1 if np.mean(differences) >= 0 else -1)
    p_value = float(ttest_1samp(towards_the_better, 0.0).pvalue)
    interval = mean_interval(towards_the_better)
    return PairedTest(images, float(towards_the_better.mean()), p_value, interval, seeds=len(differences))


def corrected(tests: Sequence[PairedTest | None]) -> list[PairedTest | None]:
    """Return the tests with their p-values by Holm, where more than one of them has one."""
    known = {place: test.own_p for place, test in enumerate(tests) if test is not None and test.own_p is not None}
    if len(known) < 2:
        return list(tests)
    adjusted = dict(zip(known, holm([p for p in known.values() if p is not None]), strict=True))
    return [
        test if test is None else replace(test, comparisons=len(known), corrected=adjusted.get(place))
        for place, test in enumerate(tests)
    ]
