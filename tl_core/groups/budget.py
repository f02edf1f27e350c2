"""Which runs of a group are started within a budget of seconds: the cheap ones first, and then those beside the best so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from tl_core.groups.cost import RunCost, Together
from tl_core.groups.expansion import Member
from tl_core.groups.group import key


@dataclass(frozen=True)
class NotStarted:
    """A run that is left out: its values of the axes, and the seconds that it would have added, None where it is not known how
    long it takes."""

    settings: Mapping[str, Any]
    seconds: float | None


def within(
    seconds: float, runs: Sequence[Member], costs: Sequence[RunCost | None], best: Sequence[Mapping[str, Any]]
) -> tuple[list[Member], list[NotStarted]]:
    """Return which of `runs` are started within so many seconds, in that order, and which are not.

    Those come first that differ least from runs that no other beats, and of these the cheapest.

    Args:
        seconds: The budget, for all of them one after the other.
        runs: What could be started.
        costs: What each takes; None where that is not known.
        best: The values of the axes of the runs that are done and that no other beats in result and cost; none before any is.
    """
    started, left = list[Member](), list[NotStarted]()
    known = [(run, found) for run, found in zip(runs, costs, strict=True) if found]
    together, spent = Together(), 0.0
    for run, found in sorted(known, key=lambda pair: (_steps(pair[0].settings, best), pair[1].seconds)):
        more = found.seconds - together.saved_by(found)
        if spent + more > seconds:
            left.append(NotStarted(run.settings, more))
            continue
        together.add(found)
        spent += more
        started.append(run)
    left += [NotStarted(run.settings, None) for run, found in zip(runs, costs, strict=True) if not found]
    return started, left


def _steps(settings: Mapping[str, Any], best: Sequence[Mapping[str, Any]]) -> float:
    """Return in how many axes a run differs from that of the `best` ones which is nearest."""
    differing = [sum(key(settings.get(axis)) != key(each.get(axis)) for axis in settings.keys() | each.keys()) for each in best]
    return min(differing, default=inf)
