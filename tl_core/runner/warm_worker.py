"""A spare: an interpreter that has imported Keras and waits, so that the next run need not.

It has used nothing of what it imported, and is used for one run only: every run has a process of its own.
"""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tl_core.executors import Job
from tl_core.machine import backends
from tl_core.spec import RunSpec
from tl_core.system import processes, settings

NEEDED_BYTES = 2 << 30
"""With less memory available than this no spare is kept."""
PASSED = ("KERAS_", "TF_", "TRANSFER_LAB_")
"""Beginnings of the names of environment variables that a run takes over from whoever asked for it."""
OWN = {settings.HOME_VARIABLE, settings.RUNS_VARIABLE, settings.LEASES_VARIABLE, settings.SPARE_VARIABLE}
"""Those that are the runner's affair."""


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `environment` that decides what a run does."""
    quiet = OWN | processes.QUIET.keys()
    return {name: value for name, value in environment.items() if name.startswith(PASSED) and name not in quiet}


class WarmWorker:
    """The runner's view of it."""

    def __init__(self, home: Path) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = processes.spawn(["spare", str(number)], home, home / "runner.log", (number,))

    @staticmethod
    def affordable() -> bool:
        """Return whether one is wanted and can import Keras, and the machine has the memory for it."""
        has_room = psutil.virtual_memory().available > NEEDED_BYTES
        return settings.keeps_spare() and has_room and backends.is_importable()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """Return the process that waits."""
        return self._process

    def fits(self, job: Job) -> bool:
        """Return whether it lives, and imported what `job` needs."""
        wanted = {name: value for name, value in job.environment.items() if name.startswith(PASSED)}
        return self._process.poll() is None and passed_on(os.environ) == wanted

    def hand_over(self, job: Job, held: Sequence[int]) -> bool:
        """Give it `job` and the locks `held`, and return False where it has died. It holds the locks from then on, also those
        still on their way to it."""
        order = json.dumps({"run_id": job.run_id, "environment": dict(job.environment)}).encode()
        log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            socket.send_fds(self._channel, [order], [log, *held])
        except OSError:
            return False
        finally:
            os.close(log)
            self._channel.close()
        return True

    def close(self) -> None:
        """Send it away by closing its channel."""
        self._channel.close()


def wait(descriptor: int) -> None:
    """Import what a run needs, wait for an order at the socket `descriptor`, and do it: this is the spare itself."""
    from tl_core.runs.worker import work

    _import()
    with socket.socket(fileno=descriptor) as channel:
        message, (log, *_held), _, _ = socket.recv_fds(channel, 1 << 16, 8) if _expects(channel) else (b"", [-1], 0, None)
    if not message:
        return  # the runner has gone
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    order = json.loads(message)
    os.environ.update(order["environment"])
    work(order["run_id"])


def _import() -> None:
    """Import what runs import on their way, and all parts. This is what a spare is for. Whatever is wrong with one, the run that
    uses it will tell."""
    import tl_core.training.train  # noqa: F401
    from tl_core.features.engines import engines
    from tl_core.recipe import Recipe

    with contextlib.suppress(Exception):
        import sklearn.linear_model  # noqa: F401

        Recipe.of(RunSpec())
        for engine in engines.parts().values():
            engine().preload()


def _expects(channel: socket.socket) -> bool:
    """Return whether an order has come, once there is one or the other end is closed."""
    return bool(channel.recv(1, socket.MSG_PEEK))
