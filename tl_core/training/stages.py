"""What a run does at each moment, and how long each part of it took."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tl_core.events import Reporter, Stage
from tl_core.training.checkpoints import TrainingState

FOLLOW_SECONDS = 1.0


class Stages:
    """Says through `report` what is being done, and adds up the wall seconds of each stage in `account`."""

    def __init__(self, account: TrainingState, report: Reporter) -> None:
        self._account, self.report = account, report
        self._lapped = time.perf_counter()

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Say what is being done, and keep how long it took."""
        self.say(title)
        self._lapped = time.perf_counter()
        try:
            yield
        finally:
            self.lap(title)

    @contextmanager
    def followed(self, title: str, share: Callable[[], float | None]) -> Iterator[None]:
        """Report every second, while the `with` block runs, which `share` of this stage alone is done, 0..1, where that is known.
        A wish to stop is heard when the stage is over."""
        over = threading.Event()

        def follow() -> None:
            while not over.wait(FOLLOW_SECONDS):
                with contextlib.suppress(Exception):  # whoever listens may raise, and what is looked at may go
                    if (now := share()) is not None:
                        self.report(Stage(f"{title}: {100 * now:.0f} %", now))

        thread = threading.Thread(target=follow, name="follow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def say(self, title: str) -> None:
        """Say what is being done, and nothing else."""
        self.report(Stage(title, self._account.progress.done))

    def lap(self, title: str) -> None:
        """Add the seconds since the last call to those of the stage `title`."""
        now = time.perf_counter()
        self._account.seconds[title] = self._account.seconds.get(title, 0.0) + now - self._lapped
        self._lapped = now

    def meter(self, title: str, passes: float) -> Callable[[int], None]:
        """Return a callback that reports how many images have gone through something, which costs so many passes an image, and
        their rate. They count as done when all are, since an interrupted pass begins anew."""
        started, seen = time.perf_counter(), 0

        def count(images: int) -> None:
            nonlocal seen
            seen += images
            self.report(Stage(title, self._account.progress.share(seen * passes), seen / (time.perf_counter() - started)))

        return count
