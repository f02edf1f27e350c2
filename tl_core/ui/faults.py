"""The pages' last line of defence: a bug in what reads a dataset takes away that dataset, and no page."""

import hashlib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tl_core.errors import DataError, TransferError, fault
from tl_core.system import settings
from tl_core.system.files import write_whole

ID_DIGITS = 16


@contextmanager
def contained(stopped: str) -> Iterator[None]:
    """Raise a `DataError` in place of an exception that nobody expected, and keep its traceback in a file. `stopped` is what was
    being done, as in "the reading of this dataset". Raises `StorageError` where that file cannot be written."""
    try:
        yield
    except TransferError:
        raise
    except Exception as bug:
        told = fault(bug, f"stopped {stopped}")
        raise DataError(told, f"Choose another dataset. The traceback is in {_kept(settings.home())}.") from bug


def _kept(home: Path) -> Path:
    """Write the traceback of the exception at hand into a file below `home`, one for each traceback: pages draw every second."""
    text = traceback.format_exc().encode(errors="backslashreplace")
    file = home / "faults" / f"{hashlib.sha256(text).hexdigest()[:ID_DIGITS]}.txt"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, lambda path: path.write_bytes(text))
    return file
