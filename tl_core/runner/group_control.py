"""What people ask of groups of runs: start, pause, resume, stop, further values of an axis."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tl_core.errors import RunError, SettingError
from tl_core.groups import halving, statements
from tl_core.groups.budget import NotStarted
from tl_core.groups.expansion import Expansion, Member, ReadShape, expand, read_shape
from tl_core.groups.group import Group
from tl_core.machine import backends
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import LOOK, Look, Recipe
from tl_core.runner import control, service
from tl_core.runner.group_plan import plan
from tl_core.runner.warm_worker import passed_on
from tl_core.runs import artifacts, groups, rungs
from tl_core.runs.groups import Kept, StoredGroup
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.training.teachers import require_teacher

Wish = Callable[[Store, str], None]
"""What is asked of a run by its id."""


def start(store: Store, group: Group, *, look: Look = LOOK, read: ReadShape = read_shape) -> Kept:
    """Queue the runs of `group` that are not there yet and fit into its budget. One that asks the same and was started before
    goes on: what it lacks is queued, and what is paused, failed or stopped is resumed. Raises `TransferError`, where no
    combination makes sense, too, or none fits."""
    found = expand(group, look).readable(read)
    found.require_runs()
    if group.successive_halving:
        halving.require(found.runs)
    while True:
        members, left = _fitting(store, group, found, groups.asking(groups.listed(store), group))
        kept = _keep(store, group, members, left)
        if kept is not None:
            settings = [each.settings for each in members]
            resumed = _each(store, kept.group_id, control.resume, control.RESUMABLE, settings, whole=not group.successive_halving)
            return replace(kept, queued=(*kept.queued, *resumed))


def _fitting(
    store: Store, group: Group, found: Expansion, begun: StoredGroup | None
) -> tuple[Sequence[Member], Sequence[NotStarted]]:
    """Return those of the runs that are there or fit into the budget of `group`, and those that do not: all and none, where it
    has none."""
    if group.budget is None:
        return found.runs, ()
    planned = plan(store.home, store.runs(), group, found, partial(_measured, store.home), begun=begun)
    if not planned.members:
        (why, *_) = statements.not_started(planned.left, group.budget, group.titles)
        raise SettingError(f"No run of this group fits. {why}", "Give it more time.", received=f"{group.budget:g} seconds")
    return planned.members, planned.left


def _measured(home: Path, recipe: Recipe) -> BackboneProfile | None:
    return BackboneProfile.read(home, recipe.backbone, recipe.input_size)


def extend(
    store: Store, group_id: str, axis: str, values: Sequence[Any], *, look: Look = LOOK, read: ReadShape = read_shape
) -> Kept:
    """Give an axis of a group further values, and queue the runs that it did not ask for before. Raises `TransferError`.

    Args:
        store: Where it is.
        group_id: The group.
        axis: One of its axes.
        values: Those that it has are passed over.
        look: Tells how large a dataset's examples are.
        read: Tells how many a dataset has.
    """
    while True:
        at = groups.one(store, group_id)
        wider = at.group.extended(axis, values)
        if wider == at.group:
            raise SettingError(f"The axis {axis} has these values already.", "Give others.", received=list(values))
        before = {each.spec.content for each in expand(at.group, look).runs}
        found = expand(wider, look).readable(read)
        new: Sequence[Member] = [each for each in found.runs if each.spec.content not in before]
        new, left = _fitting(store, wider, replace(found, runs=tuple(new)), at) if new else (new, ())
        if not new and found.dropped:
            raise SettingError(f"No further combination makes sense. The last: {found.dropped[-1].reason}")
        kept = _keep(store, wider, new, [*at.not_started, *left], at)
        if kept is not None:  # else somebody was quicker, and all is looked at once more
            return kept


def pause(store: Store, group_id: str) -> list[str]:
    """Pause all runs of a group that wait or work, and return their ids. Raises `RunError` where none does."""
    return _all(store, group_id, control.pause, control.PAUSABLE, "waits or works")


def stop(store: Store, group_id: str) -> list[str]:
    """End all runs of a group that wait, work or are paused, and return their ids. Raises `RunError` where none does."""
    return _all(store, group_id, control.stop, control.STOPPABLE, "waits, works or is paused")


def resume(store: Store, group_id: str) -> list[str]:
    """Queue all runs of a group again that are paused, failed, or were stopped, and neither wait at a rung nor were left there,
    and return their ids. Raises `RunError` where there is none."""
    return _all(store, group_id, control.resume, control.RESUMABLE, "is paused, failed or stopped", whole=False)


def _all(store: Store, group_id: str, wish: Wish, states: Sequence[State], what: str, *, whole: bool = True) -> list[str]:
    if not (found := _each(store, group_id, wish, states, whole=whole)):
        raise RunError(f"No run of this group {what}.", received=group_id)
    return found


def _each(
    store: Store,
    group_id: str,
    wish: Wish,
    states: Sequence[State],
    among: Sequence[Mapping[str, Any]] | None = None,
    *,
    whole: bool,
) -> list[str]:
    """Do something with each run of a group in one of `states`, and return their ids.

    Args:
        store: Where it is.
        group_id: The group.
        wish: What is done.
        states: Runs in others are left alone.
        among: The values of the axes that the runs may have; any for None.
        whole: Whether what waits at a rung, or was left there, is meant, too.
    """
    own = groups.one(store, group_id).runs
    own = {run_id: settings for run_id, settings in own.items() if among is None or settings in among}
    fitting = [run for run in reversed(store.runs()) if run.id in own and run.state in states]
    fitting = [run for run in fitting if whole or not (run.left_at or rungs.is_at_rung(run))]
    fitting.sort(key=lambda run: run.state is not State.QUEUED)
    for run in fitting:  # the waiting ones first, or the next would begin as soon as one is ended
        with suppress(RunError):  # it has just come to its end
            wish(store, run.id)
    return [run.id for run in fitting]


def _keep(
    store: Store, group: Group, members: Sequence[Member], left: Sequence[NotStarted], at: StoredGroup | None = None
) -> Kept | None:
    """Keep a group and queue those of its runs that are not there yet; None where all is to be looked at once more.

    Args:
        store: Where.
        group: What is asked.
        members: Its runs.
        left: What its budget leaves out.
        at: The group as it was seen, where it is extended.
    """
    if any(each.recipe.executor.shares_store for each in members):
        backends.require_importable()
    there = groups.existing(store.runs(), {each.spec.content for each in members})
    for each in members:
        if each.spec.content not in there:
            require_teacher(each.recipe)
    folders = dict[str, str]()
    kept = None
    try:
        for each in members:
            if each.spec.content not in there:
                folder = store.new_folder()
                folders[each.spec.content] = folder.name
                artifacts.write_spec(folder, each.spec)
        kept = groups.keep(store, group, members, folders, environment=passed_on(os.environ), left=left, at=at)
    finally:
        for run_id in set(folders.values()) - set(kept.queued if kept else ()):
            shutil.rmtree(store.folder(run_id), ignore_errors=True)
    service.ensure(store.home)
    return kept
