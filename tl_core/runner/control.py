"""What people ask of runs: start, pause, resume, stop, another place in the line. The runner sees to it."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from tl_core.errors import RunError, StorageError
from tl_core.recipe import Recipe
from tl_core.runner import service
from tl_core.runner.warm_worker import passed_on
from tl_core.runs import artifacts
from tl_core.runs.states import State, before
from tl_core.runs.store import Priority, Store
from tl_core.spec import RunSpec
from tl_core.training.teachers import require_teacher

RESUMABLE = before(State.QUEUED)[1:]
"""States from which a run can be continued: a pause, and every end but `done`."""
STOPPABLE = (*before(State.CANCELLING), State.QUEUED, State.PAUSED)
PAUSABLE = (*before(State.PAUSING), State.QUEUED)


def start(store: Store, spec: RunSpec, *, priority: Priority = Priority.NORMAL, repeats: str | None = None) -> str:
    """Check `spec`, queue it and return the run's id. It begins as soon as a device is free. `repeats` is the id of the run
    that it is to be held against, if it repeats one. Raises `TransferError`."""
    recipe = Recipe.of(spec)
    recipe.require_runnable()
    require_teacher(recipe)
    folder = store.new_folder()
    try:
        artifacts.write_spec(folder, recipe.spec())
        store.create(folder.name, recipe.spec(), priority=priority, environment=passed_on(os.environ), repeats=repeats)
    except StorageError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    service.ensure(store.home)
    return folder.name


def again(store: Store, run_id: str, changes: Mapping[str, Any], *, priority: Priority = Priority.NORMAL) -> str:
    """Start a run with the settings of another one, some changed by their dotted names, and return the new run's id."""
    return start(store, store.run(run_id).spec.with_settings(changes), priority=priority)


def stop(store: Store, run_id: str) -> None:
    """End a run: at once where it waits, at its next batch where it trains. Raises `RunError` where it has ended already."""
    at_rest, at_work = ((State.QUEUED, State.PAUSED), State.CANCELLED), (before(State.CANCELLING), State.CANCELLING)
    if not _moved(store, run_id, at_rest, at_work):
        _refuse(store, run_id, "stopped", State.CANCELLING)
    service.ensure(store.home)


def pause(store: Store, run_id: str) -> None:
    """Make a run keep a checkpoint at its next batch and leave its device, or hold a waiting one back. Raises `RunError` where it
    has ended already."""
    waiting, at_work = ((State.QUEUED,), State.PAUSED), (before(State.PAUSING), State.PAUSING)
    if not _moved(store, run_id, waiting, at_work):
        _refuse(store, run_id, "paused", State.PAUSING, State.PAUSED)
    service.ensure(store.home)


def resume(store: Store, run_id: str) -> None:
    """Put a paused run, or one that failed, crashed or was stopped, into the queue again. It goes on from its last
    checkpoint. Raises `RunError` where it is done, or at work."""
    if not store.change_state(run_id, RESUMABLE, State.QUEUED):
        _refuse(store, run_id, "resumed", State.QUEUED, State.STARTING, State.RUNNING)
    service.ensure(store.home)


def move(store: Store, run_id: str, place: int) -> None:
    """Put a waiting run at `place` of the line; 1 is the next to run. Raises `RunError` where it does not wait."""
    if not store.move(run_id, max(0, place - 1)):
        _refuse(store, run_id, "moved in the queue")


def prioritise(store: Store, run_id: str, priority: Priority) -> None:
    """Let a waiting run go before or after those of other priorities. Raises `RunError` where it does not wait."""
    if not store.prioritise(run_id, priority):
        _refuse(store, run_id, "given a priority")


def _moved(store: Store, run_id: str, *ways: tuple[tuple[State, ...], State]) -> bool:
    """Move a run along the one of `ways` that leaves its state, whichever that becomes meanwhile. Return False where
    none does."""
    while store.run(run_id).state in {state for leaving, _ in ways for state in leaving}:
        if any(store.change_state(run_id, leaving, to) for leaving, to in ways):
            return True
    return False


def _refuse(store: Store, run_id: str, what: str, *fine: State) -> None:
    """Raise the `RunError` of a wish that comes too late; a wish made twice is no mistake."""
    state = store.run(run_id).state
    if state not in fine:
        raise RunError(f"This run cannot be {what}: it is {state} already.", received=run_id)
