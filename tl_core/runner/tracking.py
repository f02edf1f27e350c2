"""Runs are sent to the trackers that the environment names by a process beside the runner: never on the path of a training step,
and after an outage all that was missed."""

import contextlib
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from tl_core.errors import StorageError, TransferError
from tl_core.runner import service
from tl_core.runs import tracked
from tl_core.runs.schema import Run
from tl_core.runs.store import Store
from tl_core.system import locks, processes
from tl_core.trackers import Tracker, configured

COMMAND = "follow"
LOCK, LOG = "tracking.lock", "tracking.log"
LOOK_SECONDS, RETRY_SECONDS = 5.0, 60.0
"""How long it waits until it looks for what has changed, and after an error, until it tries again."""
QUIET_SECONDS = 20.0
"""A follower that had nothing to send for so long, and sees no run at work, leaves."""
RESTART_SECONDS = 30.0
"""One that falls over at once is not started again sooner."""
NICENESS = 10
"""It leaves the processor to the runs."""


class Follower:
    """The process that sends, as the runner sees it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -math.inf
        self._has_missed = True  # maybe, while there was no runner

    def tend(self, busy: bool) -> None:
        """See to it that it is there while the runner is `busy`, where a tracker is named. Where the disk does not allow it,
        nothing happens."""
        if not (busy or self._has_missed) or not configured():
            return
        is_there = self._process is not None and self._process.poll() is None
        if not is_there and time.monotonic() - self._started > RESTART_SECONDS:
            self._started = time.monotonic()
            with contextlib.suppress(OSError, StorageError):
                self._process = processes.spawn([COMMAND], self._home, self._home / LOG)
                self._has_missed = False


def follow(home: Path) -> None:
    """Send what changes to each tracker that the environment names, while there is a runner and something is going on."""
    lock = locks.hold(home / LOCK)
    if lock is None:  # another follower is here
        return
    os.nice(NICENESS)
    store, until = Store(home), time.monotonic() + QUIET_SECONDS
    last: dict[str, float] = {}
    while service.is_there(home) and time.monotonic() < until:
        failed = [tracker.name for tracker in configured() if not _caught_up(store, tracker, last)]
        if failed or store.at_work() or store.queue():
            until = time.monotonic() + QUIET_SECONDS + RETRY_SECONDS
        time.sleep(RETRY_SECONDS if failed else LOOK_SECONDS)
    os.close(lock)


def _caught_up(store: Store, tracker: Tracker, last: dict[str, float]) -> bool:
    """Send what `tracker` does not have yet, and return whether that went well; what did not is told in the log. `last` holds
    when each run was sent."""
    sent = tracked.sent_to(store, tracker)
    try:
        tracker.require_installed()
        for run in tracked.send(store, tracker, [run for run in tracked.behind(store, sent) if _is_due(run, last)], sent):
            last[run.id] = time.monotonic()
    except TransferError as error:
        sys.stderr.write(f"{time.strftime('%F %T')} {tracker.title}: {error}\n")
        return False
    return True


def _is_due(run: Run, last: dict[str, float]) -> bool:
    return not run.state.at_work or time.monotonic() - last.get(run.id, -math.inf) > tracked.LIVE_SECONDS
