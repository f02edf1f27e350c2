"""Starting and stopping runs, and noticing those whose process is gone."""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tl_core import executors
from tl_core.errors import RunError, StorageError
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.states import ALIVE, STOPPABLE, State
from tl_core.runs.store import Run, Store
from tl_core.spec import PartSpec, RunSpec

LOCK = "lock"
OVERDUE_SECONDS = 4.0
"""A run that is still there so long after a stop is ended from outside; inside it gives up earlier."""


def start(store: Store, spec: RunSpec) -> str:
    """Check `spec`, keep it as a run, and start its process; gives the run's id. Raises `TransferError`."""
    recipe = Recipe.of(spec)
    recipe.require_runnable()
    folder = store.new_folder()
    artifacts.write_spec(folder, recipe.spec())
    with _locked(folder) as lock:
        store.create(folder.name, recipe.spec())
        command = [sys.executable, "-m", "tl_core", "work", folder.name]
        pid = executors.build(PartSpec(name="local")).launch(command, store.home, folder / artifacts.LOG, lock)
    store.record(folder.name, [], pid=pid)
    return folder.name


def stop(store: Store, run_id: str) -> None:
    """Ask a run to end at its next batch. Raises `RunError` where it has ended already."""
    if not store.change_state(run_id, STOPPABLE, State.CANCELLING):
        state = store.run(run_id).state
        if state is not State.CANCELLING:
            raise RunError(f"This run cannot be stopped: it is {state} already.", received=run_id)


def reconcile(store: Store) -> None:
    """Give an end state to every run whose process is gone, and end those that are overdue after a stop."""
    for run in store.runs(alive=True):
        if _process_is_gone(store.folder(run.id)):
            with contextlib.suppress(StorageError):  # on a full disk no end can be written, but what there is can be shown
                _bury(store, run)
        elif run.state is State.CANCELLING and run.pid and time.time() - run.changed > OVERDUE_SECONDS:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(run.pid, signal.SIGKILL)


def _bury(store: Store, run: Run) -> None:
    if run.state is State.CANCELLING:
        store.change_state(run.id, (State.CANCELLING,), State.CANCELLED)
        return
    store.change_state(
        run.id,
        ALIVE,
        State.CRASHED,
        error="The process of this run ended without a word: it was killed, ran out of memory, its disk was full, "
        "or the machine went down. Start it again; its log may say more.",
        error_kind="Crash",
    )


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The run's lock, held. The process that inherits the descriptor goes on holding it."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            f"The lock of the run cannot be made ({error}).", "Free some space on that disk.", received=folder
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _process_is_gone(folder: Path) -> bool:
    """Whether nobody holds the run's lock: a kernel lock ends with its last holder, and no reused process id can fool it."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)
