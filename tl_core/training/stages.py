"""What a run does at each moment, and how long each part of it took."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tl_core.events import Activity, Reporter, Stage, encoded
from tl_core.training.checkpoints import TrainingState

FOLLOW_SECONDS = 1.0


class Stages:
    """Says through `report` what is being done, and adds up the wall seconds of each stage in `state`."""

    def __init__(self, state: TrainingState, report: Reporter) -> None:
        self._state, self.report = state, report
        self._lapped: float | None = None
        """When the open stage began, or its last lap ended; None between stages."""

    @contextmanager
    def stage(self, activity: Activity, phase: str = "") -> Iterator[None]:
        """Say what is being done, and keep how long it took."""
        self.say(activity, phase)
        with self._timed(activity, phase):
            yield

    @contextmanager
    def followed(self, activity: Activity, share: Callable[[], float | None]) -> Iterator[None]:
        """Say what is being done, and every second which `share` of this stage alone is done, 0..1, where that is known; keep how
        long it took. A wish to stop is heard when the stage is over."""
        self.report(Stage(activity, 0.0))
        over = threading.Event()

        def follow() -> None:
            while not over.wait(FOLLOW_SECONDS):
                with contextlib.suppress(Exception):  # whoever listens may raise, and what is looked at may go
                    if (now := share()) is not None:
                        self.report(Stage(activity, now))

        thread = threading.Thread(target=follow, name="follow", daemon=True)
        with self._timed(activity):
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    def say(self, activity: Activity, phase: str = "") -> None:
        """Say what is being done, and nothing else."""
        self.report(Stage(activity, self._state.progress.done, phase=phase))

    def lap(self, activity: Activity, phase: str = "") -> None:
        """Add the seconds since the open stage began, or since its last lap, to those of this stage."""
        assert self._lapped is not None, "no stage is open"
        now, stage = time.perf_counter(), encoded(activity, phase)
        self._state.seconds[stage] = self._state.seconds.get(stage, 0.0) + now - self._lapped
        self._lapped = now

    @contextmanager
    def _timed(self, activity: Activity, phase: str = "") -> Iterator[None]:
        assert self._lapped is None, "one stage within another: the seconds of both would be wrong"
        self._lapped = time.perf_counter()
        try:
            yield
        finally:
            self.lap(activity, phase)
            self._lapped = None

    def meter(self, activity: Activity, passes_per_image: float) -> Callable[[int], None]:
        """Return a callback that reports how many images have gone through something, and their rate; an image costs
        `passes_per_image` of the cost model. They count as done when all are, since an interrupted pass begins anew."""
        started, seen = time.perf_counter(), 0

        def count(images: int) -> None:
            nonlocal seen
            seen += images
            self.report(
                Stage(activity, self._state.progress.share(seen * passes_per_image), seen / (time.perf_counter() - started))
            )

        return count
