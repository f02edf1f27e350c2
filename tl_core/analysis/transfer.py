"""A transfer against its twin from scratch: what it gains while it learns (Taylor and Stone 2009, JMLR), and whether it helps."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from statistics import median

import numpy as np

from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.statistics import Interval, mean_interval

NEARLY = 0.95
"""Share of what the runs from scratch end with that counts as having learned what there is to learn."""
Curve = Sequence[float]
"""What a metric gives of the validation examples of a run after each epoch; at least one."""


class Effect(StrEnum):
    """What a paired test says of a transfer against its twin."""

    HELPS = "helps"
    NO_EVIDENCE = "no evidence"
    HARMS = "harms"


def effect(test: PairedTest, gain: float) -> Effect:
    """Return what `test` says of a transfer that is better by `gain` (below 0: worse)."""
    if not test.told_apart:
        return Effect.NO_EVIDENCE
    return Effect.HELPS if gain > 0 else Effect.HARMS


@dataclass(frozen=True)
class Gain:
    """By how much transfers are ahead of their twins on the validation examples: the mean over the seeds, with its 95% interval
    where there are several."""

    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class Reached:
    """After how many epochs half of the `seeds` had reached a threshold, None where half or more had not, and in how many of them
    it was `missed`."""

    epochs: float | None
    missed: int
    seeds: int


@dataclass(frozen=True)
class Learning:
    """How transfers learn beside their twins of the same seeds: `jump_start` after the first epoch, `area` in the mean over all
    epochs of the longer one, `asymptote` at the end; and after how many epochs either reaches `threshold`, which is `NEARLY` of
    what the twins end with in the mean, or, where less is better, that far above it."""

    jump_start: Gain
    area: Gain
    asymptote: Gain
    threshold: float
    transfer: Reached
    scratch: Reached


def learning(transfers: Sequence[Curve], twins: Sequence[Curve], *, sign: int = 1, most: float = 1.0) -> Learning:
    """Return how transfers learn beside their twins, by the curves of the same seeds, at least one. A run that has ended keeps
    what it had while its twin goes on.

    Args:
        transfers: Their curves.
        twins: Those of the runs from scratch.
        sign: 1 where more is better, -1 where less is.
        most: How far two values can be apart.
    """
    starts = [sign * (one[0] - other[0]) for one, other in zip(transfers, twins, strict=True)]
    ends = [sign * (one[-1] - other[-1]) for one, other in zip(transfers, twins, strict=True)]
    lengths = [max(len(one), len(other)) for one, other in zip(transfers, twins, strict=True)]
    areas = [sign * (_mean(one, n) - _mean(other, n)) for one, other, n in zip(transfers, twins, lengths, strict=True)]
    ended = float(np.mean([curve[-1] for curve in twins]))
    threshold = ended - sign * (1 - NEARLY) * abs(ended)
    return Learning(
        *(_gain(starts, most), _gain(areas, most), _gain(ends, most)),
        threshold,
        *(_reached(transfers, threshold, sign), _reached(twins, threshold, sign)),
    )


def _mean(curve: Curve, epochs: int) -> float:
    return (sum(curve) + curve[-1] * (epochs - len(curve))) / epochs


def _gain(differences: Sequence[float], most: float) -> Gain:
    interval = mean_interval(differences, -most, most) if len(differences) > 1 else None
    return Gain(float(np.mean(differences)), interval)


def _reached(curves: Sequence[Curve], threshold: float, sign: int) -> Reached:
    places = ((place for place, value in enumerate(curve, start=1) if sign * value >= sign * threshold) for curve in curves)
    epochs = [next(each, inf) for each in places]
    half = median(epochs)
    return Reached(None if half == inf else half, epochs.count(inf), len(epochs))
