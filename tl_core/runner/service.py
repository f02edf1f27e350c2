"""The runner as others see it: there is one for a home, started by whoever needs it first, and woken by a byte."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import tl_core
from tl_core.errors import StorageError
from tl_core.system import locks, processes

LOOK, WATCHED, RETIRE = b"l", b"w", b"r"
"""What is rung: that there may be something to do, that somebody looks at a page, that another version is here."""
HANDOVER_SECONDS = 2.0
"""How long a runner of an earlier version may take to leave."""
PATIENCE_SECONDS = 1.0
"""How long after a start the next one may follow."""
LOG_BYTES = 1 << 20
"""A log of the runner that has grown to this is begun anew."""


def ensure(home: Path, *, watched: bool = False) -> None:
    """See to it that a runner attends to `home`, of the code that is on the disk now, and that it looks at once.

    `watched` says that somebody looks at a page, so that a run may be asked for at any moment.
    Where the disk does not allow a runner, nothing happens: a page that shows what is stored is better than none.
    """
    with contextlib.suppress(OSError, StorageError):
        if _code_file(home).is_file() and _code_file(home).read_text(encoding="utf-8") != code():
            _retire(home)
        lock = locks.hold(lock_file(home))
        if lock is None:
            notify(home, WATCHED if watched else LOOK)
            return
        try:  # the new process inherits the lock: of many who want a runner one starts it
            _start(home, lock, ["--watched"] if watched else [])
        finally:
            os.close(lock)


def _start(home: Path, lock: int, options: Sequence[str]) -> None:
    """Start a runner with `options`, unless the last one was started a moment ago: one that falls over at once would keep the
    machine busy."""
    if abs(time.time() - os.fstat(lock).st_mtime) > PATIENCE_SECONDS or os.fstat(lock).st_size == 0:
        os.pwrite(lock, b"started", 0)  # also sets the time
        log = home / "runner.log"
        if log.is_file() and log.stat().st_size > LOG_BYTES:
            log.unlink()
        processes.spawn(["serve", str(lock), *options], home, log, (lock,))


def is_there(home: Path) -> bool:
    """Return whether a runner attends to `home`."""
    return locks.is_held(lock_file(home))


def notify(home: Path, byte: bytes) -> None:
    """Wake the runner of `home`, if there is one."""
    with contextlib.suppress(OSError):
        bell = os.open(_bell_file(home), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(bell, byte)
        finally:
            os.close(bell)


class WakeUpPipe:
    """The runner's end: it sleeps here until somebody rings."""

    def __init__(self, home: Path) -> None:
        file = _bell_file(home)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(file, 0o600)
        self._descriptor = os.open(file, os.O_RDWR | os.O_NONBLOCK)  # a writer of its own, or its end would be the file's
        _code_file(home).write_text(code(), encoding="utf-8")

    def wait(self, seconds: float) -> bytes:
        """Return what was rung within `seconds`; empty where nobody did."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        return os.read(self._descriptor, 4096) if ready else b""

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)


def code() -> str:
    """Return a digest of which Python and which code a process started now would run."""
    package = Path(tl_core.__file__).parent
    files = sorted((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in package.rglob("*.py"))
    return sha256(repr((sys.executable, files)).encode()).hexdigest()


def lock_file(home: Path) -> Path:
    """Return what the runner keeps locked."""
    return home / "runner.lock"


def _retire(home: Path) -> None:
    """Make a runner of other code leave; its runs do not notice."""
    notify(home, RETIRE)
    end = time.monotonic() + HANDOVER_SECONDS
    while is_there(home) and time.monotonic() < end:
        time.sleep(0.02)


def _bell_file(home: Path) -> Path:
    return home / "runner.bell"


def _code_file(home: Path) -> Path:
    return home / "runner.code"
