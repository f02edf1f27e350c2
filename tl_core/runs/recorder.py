"""Writes what a run reports into its store, from a thread of its own, so that no training step waits for a disk."""

import contextlib
import os
import threading
import time

from tl_core.errors import Paused, Stopped, StorageError, TransferError
from tl_core.events import Activity, Checkpoint, Epoch, Event, Placement, Plan, Resumed, Stage, Step, encoded
from tl_core.machine.telemetry import Sampler
from tl_core.runs.link import Link
from tl_core.runs.states import State

BEAT_SECONDS = 0.5
"""How often events are written and a wish is looked for."""
GRACE_SECONDS = 2.5
"""How long a run may take to end by itself after a stop, before its process is ended where it stands."""
KEPT_STEPS = 2000
"""About how many steps of a run are kept: more than a chart can show."""


class Recorder:
    """The reporter of a stored run. Called with an event it keeps it, and then raises `Paused` or `Stopped` once that
    was asked for, or `Paused` after the epoch that is its `rung`, if it has one."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._plan: Plan | None = None
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[tuple[float, Event]] = []
        self._progress: dict[str, object] = {}
        self._stride = 1
        self._wished, self._rung = link.state(), link.rung()
        self._stopped_at: float | None = None
        self._broken: TransferError | None = None
        self._closing = threading.Event()
        self._sampler = Sampler(link.home, link.devices())
        self._thread = threading.Thread(target=self._beat, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        with self._lock:
            self._waiting.append((time.time(), self._sampler.sample()))
        with contextlib.suppress(StorageError):  # what was used since the last sample
            self.flush()
        self._sampler.close()

    def __call__(self, event: Event) -> None:
        """Take an event. Raises `Paused` or `Stopped` on a wish, and the `StorageError` of a write that failed."""
        if isinstance(event, Resumed):
            self.flush()
            self._link.forget_after(event.step)
        if isinstance(event, Plan):
            self._plan = event
            steps = sum(phase["epochs"] * phase["steps_per_epoch"] for phase in event.phases)
            self._stride = -(-steps // KEPT_STEPS)
        with self._lock:
            self._note(event)
            if not isinstance(event, Stage) and not (isinstance(event, Step) and event.step % self._stride):
                self._waiting.append((time.time(), event))
        if isinstance(event, Checkpoint):
            self.flush()
            return
        if isinstance(event, Epoch) and self._is_at_rung(event):
            self._link.change_state((State.RUNNING,), State.PAUSING)
            with self._lock:
                self._progress["stage"] = Activity.WAITING_AT_RUNG
            self._wished = self._link.state()
        self._heed()

    def flush(self) -> None:
        """Write what is waiting. Raises `StorageError`; what could not be written waits on."""
        with self._writing:  # two threads flush, and each event is to be written once
            with self._lock:
                waiting, progress = list(self._waiting), dict(self._progress)
            if not waiting and not progress:
                return
            self._link.record(waiting, **progress)
            with self._lock:
                del self._waiting[: len(waiting)]
                # Written once: what the run says of itself last must not come back after its end.
                self._progress = {name: value for name, value in self._progress.items() if progress.get(name) != value}

    def _note(self, event: Event) -> None:
        if isinstance(event, Stage):
            self._progress |= {"stage": encoded(event.activity, event.phase), "done": event.done}
            self._progress["images_per_second"] = event.images_per_second
        elif isinstance(event, Step):
            self._progress |= {"done": event.done, "images_per_second": event.images_per_second}
        elif isinstance(event, Placement) and event.unused:
            self._sampler.leave_gpus()

    def _is_at_rung(self, event: Epoch) -> bool:
        """Return whether the run is to wait here. After its last epoch there is nothing to wait for."""
        if self._rung is None or self._plan is None:
            return False
        return self._rung <= self._plan.trained(event.phase, event.epoch) < self._plan.epochs

    def _heed(self) -> None:
        if self._broken:
            raise self._broken
        if self._wished is State.PAUSING:
            raise Paused
        if self._wished is State.CANCELLING:
            raise Stopped

    def _beat(self) -> None:
        while not self._closing.wait(BEAT_SECONDS):
            sample, due = self._sampler.sample(), self._sampler.due()
            with self._lock:
                self._waiting += [(time.time(), sample)] if due else []
            try:
                self.flush()
                self._look_for_wishes()
            except TransferError as error:
                self._broken = error

    def _look_for_wishes(self) -> None:
        self._wished, self._rung = self._link.state(), self._link.rung()
        if self._wished is not State.CANCELLING:
            return
        self._stopped_at = self._stopped_at or time.monotonic()
        if time.monotonic() - self._stopped_at > GRACE_SECONDS:
            self._link.change_state((State.CANCELLING,), State.CANCELLED)
            os._exit(0)  # the main thread is inside one long operation, and nothing waits to be written
