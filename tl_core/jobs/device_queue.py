"""The line of background work that waits for a GPU: who asked first goes first, and a run is one of those who ask.

Each that waits holds a kernel lock on a ticket, a file in the home that is named by when it asked: one that was killed waits no
longer. On a machine without GPUs nothing waits: beside a run a processor does other work too.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tl_core.machine import leases
from tl_core.machine.leases import Lease
from tl_core.machine.telemetry import devices
from tl_core.system import locks
from tl_core.system.files import storage_error

LOOK_SECONDS = 0.25
GRACE_SECONDS = 15.0
"""A GPU that has been free for so long is not taken by the runs before: what they wait for is something else."""
NANOSECONDS = 1e9


def waiting(home: Path) -> list[float]:
    """Return when each that waits asked for a device, in seconds since 1970, the first one first."""
    return [_asked(ticket) for ticket in sorted(_folder(home).glob("*")) if locks.is_held(ticket)]


def wait(home: Path, runs_before: Callable[[float], int], tell: Callable[[int], object]) -> Lease | None:
    """Return the lease of a GPU when it is this process' turn; None, at once, on a machine that has none.

    `runs_before` gives how many runs go before one that asked at a time (seconds since 1970), and `tell` is called with the place
    in the line, from 1. Raises `StorageError`.
    """
    gpus = [device for device in devices() if device.is_gpu]
    if not gpus:
        return None
    with _ticket(home) as asked:
        in_use = time.monotonic()
        while True:
            others, runs = sum(other < asked for other in waiting(home)), runs_before(asked)
            if all(locks.is_held(leases.lock_of(home, gpu)) for gpu in gpus):
                in_use = time.monotonic()
            if not others and (not runs or time.monotonic() - in_use > GRACE_SECONDS):
                lease = leases.take(home, gpus)
                if lease:
                    return lease
            tell(1 + others + runs)
            time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def _ticket(home: Path) -> Iterator[float]:
    """Stand in the line meanwhile, and yield when this process asked, in seconds since 1970."""
    ticket = _folder(home) / f"{time.time_ns():020d}-{os.getpid()}"
    try:
        ticket.parent.mkdir(parents=True, exist_ok=True)
        for left in ticket.parent.glob("*"):  # by those that were killed
            if not locks.is_held(left) and time.time() - _asked(left) > GRACE_SECONDS:
                left.unlink(missing_ok=True)
        while (held := locks.hold(ticket)) is None:
            time.sleep(0.01)  # somebody looks at it
    except OSError as error:
        raise storage_error(ticket.parent, error) from error
    try:
        yield _asked(ticket)
    finally:
        ticket.unlink(missing_ok=True)
        os.close(held)


def _asked(ticket: Path) -> float:
    return int(ticket.name.partition("-")[0]) / NANOSECONDS


def _folder(home: Path) -> Path:
    return home / "waiting"
