"""Writes what a run reports into the store, from a thread of its own, so that no training step waits for a disk."""

import os
import threading
import time

from tl_core.errors import Stopped, TransferError
from tl_core.events import Event, Plan, Stage, Step
from tl_core.runs.states import ALIVE, State
from tl_core.runs.store import Store
from tl_core.runs.telemetry import Sampler

BEAT_SECONDS = 0.5
"""How often events are written and a stop is looked for."""
GRACE_SECONDS = 2.5
"""How long a run may take to end by itself after a stop, before its process is ended where it stands."""
KEPT_STEPS = 2000
"""About how many steps of a run are kept: more than a chart can show."""


class Recorder:
    """The reporter of a stored run. Called with an event it raises `Stopped` once a stop was asked for."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[tuple[float, Event]] = []
        self._progress: dict[str, object] = {}
        self._stride = 1
        self._stopped_at: float | None = None
        self._broken: TransferError | None = None
        self._closing = threading.Event()
        self._sampler = Sampler()
        self._thread = threading.Thread(target=self._beat, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def __call__(self, event: Event) -> None:
        """Take an event; raises `Stopped` after a stop, and the `StorageError` of a write that failed."""
        if self._broken:
            raise self._broken
        if self._stopped_at is not None:
            raise Stopped
        if isinstance(event, Plan):
            steps = sum(phase["epochs"] * phase["steps_per_epoch"] for phase in event.phases)
            self._stride = -(-steps // KEPT_STEPS)
        with self._lock:
            self._note(event)
            if not isinstance(event, Stage) and not (isinstance(event, Step) and event.step % self._stride):
                self._waiting.append((time.time(), event))

    def flush(self) -> None:
        """Write what is waiting. Raises `StorageError`; what could not be written waits on."""
        with self._writing:  # two threads flush, and each event is to be written once
            with self._lock:
                waiting, progress = list(self._waiting), dict(self._progress)
            self._store.record(self._run_id, waiting, **progress)
            with self._lock:
                del self._waiting[: len(waiting)]

    def _note(self, event: Event) -> None:
        if isinstance(event, Stage):
            self._progress |= {"stage": event.title, "done": event.done, "images_per_second": event.images_per_second}
        elif isinstance(event, Step):
            self._progress |= {"done": event.done, "images_per_second": event.images_per_second}

    def _beat(self) -> None:
        while not self._closing.wait(BEAT_SECONDS):
            with self._lock:
                self._waiting.append((time.time(), self._sampler.sample()))
            try:
                self.flush()
                self._look_for_stop()
            except TransferError as error:
                self._broken = error

    def _look_for_stop(self) -> None:
        if self._stopped_at is None:
            if self._store.run(self._run_id).state is State.CANCELLING:
                self._stopped_at = time.monotonic()
        elif time.monotonic() - self._stopped_at > GRACE_SECONDS:
            self._store.change_state(self._run_id, ALIVE, State.CANCELLED)
            os._exit(0)  # the main thread is inside one long operation, and nothing waits to be written
