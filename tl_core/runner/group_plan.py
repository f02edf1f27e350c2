"""What the start of a group would do, before it does it: which of its runs are queued within its budget, and what they take."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tl_core.analysis.comparison import RunPoint, frontier
from tl_core.groups import budget, cost, halving, statements
from tl_core.groups.budget import NotStarted
from tl_core.groups.cost import GroupCost, Measured, RunCost
from tl_core.groups.expansion import Expansion, Member
from tl_core.groups.group import Group
from tl_core.runner.warm_worker import WarmWorker
from tl_core.runs import compared, groups
from tl_core.runs.groups import StoredGroup
from tl_core.runs.store import Run
from tl_core.system.settings import cache_room

Estimated = Callable[[Sequence[Member]], list[RunCost | None]]
"""From runs to what each of them takes; None where that is not known."""


@dataclass(frozen=True)
class Plan:
    """What the start of `group` would do: which of its runs are `there` already, which are queued, in that order, what these
    take, which do not fit into its budget, and the seconds of that which its runs have `used`."""

    group: Group
    found: Expansion
    there: Mapping[str, str]
    queued: Sequence[Member]
    cost: GroupCost
    left: Sequence[NotStarted] = ()
    used: float = 0.0

    @property
    def new(self) -> int:
        """Return how many runs would be queued."""
        return len(self.queued)

    @property
    def members(self) -> list[Member]:
        """Return the runs that the group would have: what is there, and what would be queued."""
        return [*(each for each in self.found.runs if each.spec.content in self.there), *self.queued]

    def sentences(self, memory: int, disk: int) -> list[str]:
        """Return what there is to be said before the start; `memory` and `disk` are the bytes that are free."""
        told = [f"{statements.runs_of(self.found, len(self.there))}."]
        told += statements.takes(self.cost, self.new) if self.new else ()
        told += statements.elsewhere(self.queued)
        told += statements.halved(halving.first_rung(self.queued)) if self.new and self.group.successive_halving else ()
        told += self._within_budget(self.group.budget) if self.group.budget is not None else ()
        if any(each.recipe.executor.shares_store for each in self.queued):
            told += statements.lacks(self.cost, memory, disk)
        return [*told, *statements.left_out(self.found)]

    def _within_budget(self, budget: float) -> Iterator[str]:
        titles = self.group.titles
        yield from statements.spent(self.used, budget)
        yield from statements.not_started(self.left, budget, titles) if self.left else statements.fits(self.new, budget)
        yield from statements.unanswered(self.members, self.left, titles) if self.members else ()


def plan(
    home: Path,
    known: Iterable[Run],
    group: Group,
    found: Expansion,
    measured: Measured,
    *,
    begun: StoredGroup | None = None,
) -> Plan:
    """Return what the start of a group would do.

    Args:
        home: Where.
        known: The runs below it.
        group: What is asked.
        found: What it comes to. Raises `SettingError` where that is no run.
        measured: How fast networks are here.
        begun: The group as it was started before, whose runs have used of its budget.
    """
    found.require_runs()
    if group.successive_halving:
        halving.require(found.runs)
    known = list(known)
    there = groups.existing(known, {each.spec.content for each in found.runs})
    if begun and group.successive_halving:  # what was left at a rung stays there
        there = {run.spec.content: run.id for run in begun.among(known) if run.left_at} | there
    new = [each for each in found.runs if each.spec.content not in there]
    estimated = partial(cost.of_each, measured=measured, room=cache_room(home), has_spare=WarmWorker.affordable())
    costs = estimated(new)
    if group.budget is None:
        return Plan(group, found, there, new, cost.of(costs))
    used = _used(begun, known, found, estimated) if begun else 0.0
    queued, left = budget.within(group.budget - used, new, costs, _best(found, there, known))
    by_content = {run.spec.content: each for run, each in zip(new, costs, strict=True)}
    return Plan(group, found, there, queued, cost.of([by_content[each.spec.content] for each in queued]), left, used)


def _used(begun: StoredGroup, known: Iterable[Run], found: Expansion, estimated: Estimated) -> float:
    """Return the seconds that runs which were made for a group have taken, with those that the ones in the queue or at work will
    take as far as that is known."""
    now, own = time.time(), [run for run in begun.among(known) if run.created >= begun.created]
    alive = {run.spec.content: run.running_seconds(now) for run in own if run.state.alive}
    members = [each for each in found.runs if each.spec.content in alive]
    costs = zip(members, estimated(members), strict=True)
    to_come = sum(max(0.0, each.seconds - alive[run.spec.content]) for run, each in costs if each)
    return to_come + sum(run.running_seconds(now) for run in own)


def _best(found: Expansion, there: Mapping[str, str], known: Iterable[Run]) -> list[Mapping[str, Any]]:
    """Return the values of the axes of the runs that are done and that no other beats in what decides it and in seconds."""
    settings = {there[each.spec.content]: each.settings for each in found.runs if each.spec.content in there}
    points = list[RunPoint]()
    for run in known:
        value = compared.decided(run) if run.id in settings else None
        if value and run.seconds is not None:
            better = value.better.sign * value.value
            points.append(RunPoint(run.id, run.id, run.spec.strategy.name, better, better, better, run.seconds))
    return [settings[point.run_id] for point in frontier(points)]
