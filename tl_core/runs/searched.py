"""What a search has tried and what it has not, as plain values: the best goes by its validation images, never by the test."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from pathlib import Path

from tl_core.analysis.statistics import Interval, difference_interval
from tl_core.errors import RunError
from tl_core.groups.halving import LeftAt
from tl_core.recipe import titles_of
from tl_core.result import MetricValue
from tl_core.runs import artifacts, compared
from tl_core.runs.states import State
from tl_core.runs.store import Run


@dataclass(frozen=True)
class Tried:
    """A run of a search: the titles of its network and strategy, how it stands, and what the metric that decides gives of its
    validation images, None until it is done. `left_at` and `error` say why it did not come to its end, if it did not."""

    run_id: str
    network: str
    strategy: str
    state: State
    seconds: float | None = None
    validation: MetricValue | None = None
    left_at: LeftAt | None = None
    error: str = ""


class Why(StrEnum):
    """Why something was not tried."""

    BEHIND = "behind"
    """The ranking shows it behind the best beyond doubt."""
    CONTROL = "control"
    """It learned nothing that could be transferred."""
    BUDGET = "budget"
    """It would take longer than there was time."""
    UNKNOWN = "unknown"
    """How long it takes here could not be found out."""
    UNSUITED = "unsuited"
    """It makes no sense for the data or the network, for the `reason` that stands beside."""


@dataclass(frozen=True)
class NotTried:
    """A network with a strategy that a search left out, the `seconds` that it would have taken, as far as they are known, and the
    `reason` in a sentence where `why` is `UNSUITED`."""

    network: str
    strategy: str
    why: Why
    seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Regret:
    """How far a value lies behind the best one, at least 0, and the 95% interval where there is one."""

    value: float
    interval: Interval | None


def tried(run: Run, validation: MetricValue | None) -> Tried:
    """Return how a run of a search stands, with what is known of its `validation` images."""
    _, network, strategy = titles_of(run.spec)
    return Tried(run.id, network, strategy, run.state, run.seconds, validation, run.left_at, run.error or "")


def validation_of(run: Run, folder: Path) -> MetricValue | None:
    """Return what the metric that decides a finished run gives of its validation images; an accuracy has its interval. None where
    there were none, or its files in `folder` are lost."""
    try:
        result = artifacts.read_result(folder)
    except RunError:
        return None
    metric, images = compared.deciding(run), result.validation_images
    if metric == compared.ACCURACY:
        share = result.validation_accuracy if images else None
        return None if share is None else compared.ACCURACY.of_counts(round(share * images), images)
    value = next((phase.ended.validation_metric for phase in reversed(result.phases) if phase.ended), None)
    if value is None or isnan(value):
        return None
    own = metric.own_settings
    return MetricValue(name=metric.name, value=value, low=None, high=None, n=images, better=metric.better, settings=own)


def best(runs: Iterable[Tried]) -> Tried | None:
    """Return the best by its validation images, of equal ones that which took less; None before there is any."""
    known = [
        (-each.validation.better.sign * each.validation.value, each.seconds or 0.0, each) for each in runs if each.validation
    ]
    return min(known, key=lambda placed: placed[:2])[2] if known else None


def regret(first: MetricValue, best_found: MetricValue) -> Regret:
    """Return how far `first` lies below the best. Both are of the same images, so that the interval, which takes them for those
    of two samples, is rather too wide (Newcombe 1998)."""
    value = best_found.better.sign * (best_found.value - first.value)
    best_ends, first_ends = compared.ends_of(best_found), compared.ends_of(first)
    if best_ends is None or first_ends is None:
        return Regret(value, None)
    return Regret(value, difference_interval(best_found.value, best_ends, first.value, first_ends))
