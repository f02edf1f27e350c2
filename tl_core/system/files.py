"""Files and folders that appear whole, or not at all, whatever happens while they are written."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tl_core.errors import StorageError
from tl_core.system import settings


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then move it there: it is seen whole or not at all. Raises `StorageError`.

    After a power cut the old file is there or the new one: the content reaches the disk before the name does.
    Keras and NumPy look at a name's ending, so the file beside it has the same one.
    """
    partial = _beside(path, str(os.getpid()))
    try:
        write(partial)
        _to_disk(partial)
        partial.replace(path)
        _to_disk(path.parent)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        why = "a folder has that name" if path.is_dir() else "the folder that it would be in is not there"
        raise StorageError(f"The file cannot be written: {why}.", "Choose another file.", received=path) from error
    except OSError as error:
        raise StorageError(
            f"The file {path.name} cannot be written ({error}).",
            "Free some space on that disk and start again.",
            received=path.parent,
        ) from error
    finally:
        with contextlib.suppress(NotADirectoryError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `final` where nothing is raised, and else goes. Raises `StorageError` where
    it cannot be written."""
    partial = final.with_name(f".partial-{final.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed; one at a time makes it
        partial.mkdir(parents=True)
        yield partial
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
    except OSError as error:
        raise storage_error(final, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sweep(path: Path) -> None:
    """Remove what processes that were killed while they wrote the file at `path` have left beside it. The caller knows that
    nobody is writing it."""
    for left in path.parent.glob(_beside(path, "*").name):
        left.unlink(missing_ok=True)


def _beside(path: Path, writer: str) -> Path:
    return path.with_name(f".partial-{writer}-{path.name}")


def _to_disk(path: Path) -> None:
    """Wait until the file at `path`, or the names in the folder at `path`, are on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(place: Path, error: BaseException) -> StorageError:
    """Return the error that runs cannot be kept at `place`, and what can be done."""
    return StorageError(
        f"Runs cannot be stored ({error}).",
        f"Free some space or make the folder writable, or choose another one with {settings.HOME_VARIABLE}.",
        received=place,
    )
