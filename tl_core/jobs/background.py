"""Short work in a process of its own, one at a time for each file that it makes. A kernel lock says whether it is at work.

While it is at work, what is known grows in a file beside the one that the last finished work has left: whatever happens to the
process, that one stays.
"""

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from tl_core.errors import Stopped, TransferError
from tl_core.events import Event, Stage, encoded
from tl_core.executors import local
from tl_core.jobs import failures
from tl_core.spec import RunSpec
from tl_core.system import locks, processes
from tl_core.system.adapters import adapter
from tl_core.system.files import storage_error, write_whole


class Ending(Protocol):
    """What is written while work goes on, and says when it is over."""

    @property
    def finished(self) -> bool: ...


T = TypeVar("T", bound=Ending)


def start(home: Path, file: Path, command: Sequence[str], first: Ending) -> None:
    """Start `command` (of this package) for `file`, unless it is at work. Until it writes, `first` is what is known.

    Raises `StorageError`.
    """
    with contextlib.ExitStack() as held:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            own = locks.hold(_lock(file))
            if own is None:
                return
            held.callback(os.close, own)
            os.ftruncate(own, 0)  # no process has it yet, and the last one's number may be another's by now
            write(_growing(file), first)
            process = processes.spawn(command, home, file.with_suffix(".log"), (own,))
            os.pwrite(own, str(process.pid).encode(), 0)
        except OSError as error:
            raise storage_error(file.parent, error) from error
        local.watch(process)


def cancel(file: Path) -> None:
    """End the process that makes `file`, and what it has started. No error where there is none, or where it is gone already."""
    with contextlib.suppress(OSError, ValueError):
        if is_at_work(file):
            os.killpg(int(_lock(file).read_text(encoding="utf-8")), signal.SIGTERM)


def is_at_work(file: Path) -> bool:
    """Return whether a process is making `file`."""
    return locks.is_held(_lock(file))


def file_for(folder: Path, *decisive: Any) -> Path:
    """Return the file in `folder` for work that all of `decisive` (plain values, or pydantic models) decides."""
    return folder / f"{sha256(TypeAdapter(list).dump_json(list(decisive))).hexdigest()[:16]}.json"


def read(file: Path, kind: type[T]) -> T | None:
    """Return what the process at work knows, or else what the last finished one has left; None where none has.

    `kind` is a dataclass with a field `finished`."""
    growing = _parsed(_growing(file), kind) if is_at_work(file) else None
    if growing is not None:
        return growing
    found = _parsed(file, kind)
    return found if found is not None and found.finished else None


def write(file: Path, value: object) -> None:
    """Keep a dataclass in `file`, whole, for whoever watches. Raises `StorageError`."""
    content = adapter(type(value)).dump_json(value)
    write_whole(file, lambda path: path.write_bytes(content))


class ResultWriter(Generic[T]):
    """Keeps a result, a dataclass, while it grows: at most every `WRITING_SECONDS`. `now` is what is known."""

    WRITING_SECONDS = 0.5

    def __init__(self, file: Path, first: T) -> None:
        self.now = first
        self.file = file
        self._began, self._written = time.monotonic(), 0.0

    def start_clock(self) -> None:
        """Count `seconds` from now on: to wait is no work."""
        self._began = time.monotonic()

    def update(self, **fields: Any) -> None:
        """Set these fields, and how many `seconds` have passed. The file is written at most every `WRITING_SECONDS`."""
        now = time.monotonic()
        self.now = self._with(fields | {"seconds": now - self._began})
        if now - self._written > self.WRITING_SECONDS:
            write(_growing(self.file), self.now)
            self._written = now

    def report(self, event: Event) -> None:
        """Set the stage and its images a second, where `event` says so."""
        if isinstance(event, Stage):
            self.update(stage=encoded(event.activity, event.phase), images_per_second=event.images_per_second)

    def carry_out(self, work: Callable[[], object], spec: RunSpec) -> None:
        """Do `work`, and keep how it ended: `seconds`, and `error`, which is empty or says why it could not be done. One that was
        `Stopped` has done what was wanted. Raises `StorageError`."""
        error = ""
        try:
            work()
        except Stopped:
            pass
        except TransferError as mistake:
            error = str(mistake)
        except Exception as fault:  # noqa: BLE001  # it must end, whatever happens in it
            traceback.print_exc()
            error = failures.of_exception(fault, spec, self.file.parent)[0]
        self.now = self._with({"error": error, "finished": True, "seconds": time.monotonic() - self._began})
        write(self.file, self.now)
        _growing(self.file).unlink(missing_ok=True)

    def _with(self, fields: dict[str, Any]) -> T:
        return replace(self.now, **fields)  # type: ignore[type-var]  # a dataclass, as `read` and `write` say


def _parsed(file: Path, kind: type[T]) -> T | None:
    try:
        return adapter(kind).validate_json(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _lock(file: Path) -> Path:
    return file.with_suffix(".lock")


def _growing(file: Path) -> Path:
    return file.with_suffix(".growing")
