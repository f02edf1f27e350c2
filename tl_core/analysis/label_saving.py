"""How many times fewer labels a transfer needs for what its twin from scratch attains."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from statistics import median_low

Curve = Mapping[int, float]
"""What runs of one seed have of a metric where more is better, by the labels a class that they learned from."""


@dataclass(frozen=True)
class Saving:
    """How many times fewer labels than `labels` a class a transfer needs for what its twin attains with these: the median over
    the `seeds`, None where half of them or more never attain it. It is `at_least` that where the fewest labels that were tried
    are enough already. In `missed` seeds it was not reached."""

    labels: int
    factor: float | None
    at_least: bool
    missed: int
    seeds: int


def saving(transfers: Mapping[int, Curve], twins: Mapping[int, Curve]) -> Saving | None:
    """Return what transfers save beside their twins, by the seeds that both have; None where there are none, or where no fewer
    labels were tried. The most labels that the twins of all these seeds learned from are asked about."""
    seeds = transfers.keys() & twins.keys()
    common = set.intersection(*(set(twins[seed]) for seed in seeds)) if seeds else set()
    if not common:
        return None
    labels = max(common)
    # What is never attained saves least of all, and the median counts it as that.
    found = [_needed(transfers[seed], twins[seed][labels]) for seed in seeds]
    factors = sorted((labels / needed[0], needed[1]) if needed else (0.0, False) for needed in found)
    middle = median_low(factors)
    if middle[1] and middle[0] <= 1:
        return None
    return Saving(labels, middle[0] or None, middle[1], found.count(None), len(found))


def _needed(curve: Curve, target: float) -> tuple[float, bool] | None:
    """Return how many labels a class attain `target`, between two numbers along the log axis, and whether fewer might do as well;
    None where none do."""
    before: tuple[int, float] | None = None
    for labels, value in sorted(curve.items()):
        if value >= target:
            if before is None:
                return float(labels), value > target
            share = (target - before[1]) / (value - before[1])
            return exp(log(before[0]) + share * log(labels / before[0])), False
        before = labels, value
    return None
