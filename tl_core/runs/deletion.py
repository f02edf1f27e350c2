"""Deleting runs: the row first, then the files.

Everything finds a run by its row. Whoever is killed between the two leaves a folder that nothing shows; its name stands in the
store, and the next runner removes it.
"""

import contextlib
import shutil
from pathlib import Path

from tl_core.errors import RunError, StorageError
from tl_core.runs import artifacts, evaluations, exported, groups, rungs, tables
from tl_core.runs.groups import StoredGroup
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store


def delete(store: Store, run_id: str, seen: State) -> None:
    """Delete a run, with its events and its folder. `seen` is the state in which the asker saw it.

    Raises `RunError` where it is at work, has come to another state, or is gone already; and `StorageError` where files could
    not be removed: then the run is gone all the same.
    """
    store.delete(run_id, lambda run: require_deletable(run, seen))
    _remove(store.folder(run_id))


def delete_group(store: Store, group_id: str, *, with_runs: bool = False) -> None:
    """Delete a group. Its runs stay; `with_runs` those go, too, that are in no other group. Raises `RunError` where one of them
    is at work, and then nothing is deleted, or where there is no such group."""
    own = groups.one(store, group_id).runs
    if with_runs:
        others = {run_id for each in groups.listed(store) if each.id != group_id for run_id in each.runs}
        going = [run for run in store.runs() if run.id in own and run.id not in others]
        for run in going:
            require_deletable(run)
        for run in going:
            delete(store, run.id, run.state)
    with store.database.writing(durable=True) as connection:
        connection.execute(tables.groups.delete().where(tables.groups.c.id == group_id))


def require_deletable(run: Run, seen: State | None = None) -> None:
    """Raise `RunError` where `run` is at work, or no longer in the state `seen`."""
    if run.state.at_work:
        raise RunError(f"A run that is {run.state} cannot be deleted.", "Stop it first.", received=run.id)
    if seen not in {None, run.state}:
        raise RunError(f"This run was {seen} and is {run.state} by now.", "If it shall go, delete it again.", received=run.id)


def losses(store: Store, run: Run) -> list[str]:
    """Return what is lost with `run`, a sentence each."""
    folder = store.folder(run.id)
    found = []
    if run.state is State.QUEUED:
        found.append("It waits in the queue and will not start.")
    found += [_loss_of(group, run) for group in groups.listed(store) if run.id in group.runs]
    if run.state is not State.DONE and artifacts.has_checkpoint(folder):
        found.append(f"It could go on from its checkpoint at {100 * run.done:.0f} %. The checkpoint is lost.")
    if run.state is State.DONE:
        found.append("Its result, its predictions and its trained model are lost.")
    if others := len(evaluations.read(folder)):
        found.append(f"Its tests on other data are lost: {others}.")
    if others := len(exported.read(folder)):
        found.append(f"Its exports are lost: {others}.")
    return [*found, "Its settings, curves and log are lost. This cannot be undone."]


def _loss_of(group: StoredGroup, run: Run) -> str:
    without = ", and its other runs are held against each other without it" if rungs.waits(run) else ""
    return f"The group {group.group.name} loses it{without}."


def sweep(store: Store) -> None:
    """Remove what is left of the folders of deleted runs. What cannot be removed is left for the next time."""
    for run_id in store.deleted():
        with contextlib.suppress(StorageError):
            _remove(store.folder(run_id))


def _remove(folder: Path) -> None:
    """Remove a folder and all in it. A process that is just leaving may remove a file, or write one, at the same time."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"The run is deleted, but not all of its files could be removed ({error}).", "Remove its folder.", received=folder
        ) from error
