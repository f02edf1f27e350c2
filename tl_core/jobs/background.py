"""Short work in a process of its own, one at a time for each file that it makes. Its kernel lock says whether it is at work."""

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from tl_core.datasets import Dataset
from tl_core.errors import RunError, Stopped, TransferError
from tl_core.events import Event, Stage
from tl_core.executors import local
from tl_core.jobs import failures
from tl_core.machine import backends, leases
from tl_core.machine.telemetry import devices
from tl_core.spec import RunSpec
from tl_core.system import locks, processes
from tl_core.system.files import storage_error, write_whole


class Ending(Protocol):
    """What is written while work goes on, and says when it is over."""

    @property
    def finished(self) -> bool: ...


T = TypeVar("T", bound=Ending)


def start(
    home: Path,
    file: Path,
    command: Sequence[str],
    begin: Callable[[], object] = lambda: None,
    *,
    needs_keras: bool = True,
) -> None:
    """Start `command` (of this package) for `file`, unless it is at work. `begin` is called before.

    It gets a GPU for itself, as a run does, since memory on it is not shared; on a processor it works beside whatever else
    does. Raises `StorageError`, `RunError` where every GPU is in use, and `SettingError` where it `needs_keras`, which cannot be
    imported.
    """
    if needs_keras:
        backends.require_importable()
    with contextlib.ExitStack() as held:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            own = locks.hold(_lock(file))
        except OSError as error:
            raise storage_error(file.parent, error) from error
        if own is None:
            return
        held.callback(os.close, own)
        descriptors, environment = _device(home)
        for descriptor in descriptors:
            held.callback(os.close, descriptor)
        begin()
        local.watch(processes.spawn(command, home, file.with_suffix(".log"), (own, *descriptors), environment))


def file_for(folder: Path, *decisive: Any) -> Path:
    """The file in `folder` for work that all of `decisive` (plain values, or pydantic models) decides."""
    return folder / f"{sha256(TypeAdapter(list).dump_json(list(decisive))).hexdigest()[:16]}.json"


def with_all_labels(dataset: Dataset) -> dict[str, Any]:
    """What a dataset is but for how many of its labels are used, as one of the values that decide."""
    return dataset.spec().content.settings | {"name": dataset.name, "labels_per_class": None}


def read(file: Path, kind: type[T]) -> T | None:
    """What a process has written into `file`, a dataclass with a field `finished`; None where there is none, or where its process
    has gone without an end."""
    try:
        found = TypeAdapter(kind).validate_json(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if found.finished or is_at_work(file) else None


def write(file: Path, value: object) -> None:
    """Keep a dataclass in `file`, whole, for whoever watches. Raises `StorageError`."""
    content = TypeAdapter(type(value)).dump_json(value)
    write_whole(file, lambda path: path.write_bytes(content))


class Watch(Generic[T]):
    """What is known `now` of work in progress, kept in `file` at most every `seconds`."""

    def __init__(self, file: Path, now: T, seconds: float = 0.5) -> None:
        self.now = now
        self._file, self._seconds, self._written = file, seconds, 0.0

    def change(self, **fields: Any) -> None:
        """Know it better."""
        self.now = replace(self.now, **fields)  # type: ignore[type-var]  # a dataclass, as `read` and `write` say
        if time.monotonic() - self._written > self._seconds:
            write(self._file, self.now)
            self._written = time.monotonic()

    def hear(self, event: Event) -> None:
        """Know what is done now, and how fast, where `event` says so."""
        if isinstance(event, Stage):
            self.change(stage=event.title, images_per_second=event.images_per_second)

    def carry_out(self, work: Callable[[], object], spec: RunSpec) -> None:
        """Do `work`, and keep how it ended: `seconds`, and `error`, which is empty or says why it could not be done. One that was
        `Stopped` has done what was wanted. Raises `StorageError`."""
        began, error = time.monotonic(), ""
        try:
            work()
        except Stopped:
            pass
        except TransferError as mistake:
            error = str(mistake)
        except Exception as fault:  # noqa: BLE001  # it must end, whatever happens in it
            traceback.print_exc()
            error = failures.of_exception(fault, spec, self._file.parent)[0]
        taken = time.monotonic() - began
        self.now = replace(self.now, error=error, finished=True, seconds=taken)  # type: ignore[type-var]
        write(self._file, self.now)


def is_at_work(file: Path) -> bool:
    """Whether a process is making `file`."""
    return locks.is_held(_lock(file))


def _device(home: Path) -> tuple[tuple[int, ...], dict[str, str]]:
    gpus = [device for device in devices() if device.is_gpu]
    if not gpus:
        return (), {}
    lease = leases.take(home, gpus)
    if lease is None:
        raise RunError("Every GPU of this machine is in use.", "Ask for this again when a run has ended.")
    return (lease.descriptor,), lease.environment()


def _lock(file: Path) -> Path:
    return file.with_suffix(".lock")
