"""A fresh process on this machine."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import ClassVar

from tl_core.executors import Executor, Job, register
from tl_core.system import locks, processes

UNSTORED = 2
"""Exit status of a process that could not store how it ended."""
_children: dict[str, "subprocess.Popen[bytes]"] = {}
"""The processes that this one has launched and that were not asked for their last words yet, by handle."""


def watch(process: "subprocess.Popen[bytes]") -> str:
    """Leave no zombie of `process` when it ends, remember it, and return its handle."""
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    _children[str(process.pid)] = process
    return str(process.pid)


@register("local")
class Local(Executor):
    """Runs on this machine, in a process and a session of its own, so that it outlives whoever started it."""

    title: ClassVar[str] = "This machine"

    def launch(self, job: Job, held: Sequence[int] = ()) -> str:
        return watch(processes.spawn(["work", job.run_id], job.home, job.log, held, job.environment))

    def lives(self, job: Job) -> bool:
        return locks.is_held(job.lock)

    def end(self, job: Job, *, at_once: bool) -> None:
        if job.handle is None or not self.lives(job):  # its number may be another process' by now
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(job.handle), signal.SIGKILL if at_once else signal.SIGTERM)

    def last_words(self, job: Job) -> str:
        child = _children.pop(job.handle or "", None)
        if child is None:
            return ""
        try:
            status = child.wait(timeout=1)  # its locks are free a moment before its status is known
        except subprocess.TimeoutExpired:
            return ""
        if status < 0:
            return f"It was ended by the signal {signal.Signals(-status).name}."
        if status == UNSTORED:
            return "It could not write any more: its disk was full, or could not be reached."
        return f"Its exit status was {status}."
