"""What the folder of a run takes of the disk: measured once, when the run has come to rest, and kept in the store."""

import contextlib
from functools import partial
from pathlib import Path

from tl_core.errors import RunError
from tl_core.executors import LOCK
from tl_core.runs.states import AT_REST
from tl_core.runs.store import Run, Store
from tl_core.system import locks

AT_A_TIME = 50
"""So many runs are measured at a look: a store of an earlier version may have thousands."""


def measure(store: Store, most: int | None = AT_A_TIME) -> bool:
    """Measure `most` of the runs at rest that were not measured yet (None: all), and return whether there were any. Raises
    `StorageError`.

    A run whose process is still leaving is left for later: it removes its checkpoint last.
    """
    found = store.unmeasured(most)
    for run in found:
        folder = store.folder(run.id)
        if locks.is_held(folder / LOCK):
            continue
        with contextlib.suppress(RunError):  # deleted just now
            store.update(run.id, partial(_measured, bytes_of(folder)))
    return bool(found)


def _measured(taken: int, run: Run) -> dict[str, int | None]:
    return {"disk_bytes": taken if run.state in AT_REST else None}  # else it was resumed just now


def bytes_of(folder: Path) -> int:
    """Return the bytes of all files below `folder`; those that are removed meanwhile count nothing."""
    return sum(_size(file) for file in folder.rglob("*"))


def _size(file: Path) -> int:
    try:
        return 0 if file.is_dir() else file.lstat().st_size
    except OSError:
        return 0
