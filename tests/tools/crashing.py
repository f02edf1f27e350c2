"""Killing processes at chosen instants, and watching that no device is ever used twice."""

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.helpers import HANGS_SECONDS, processes_of, wait_until
from tl_core.runner import service
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.system import settings

INSTRUMENTS = Path(__file__).parent / "instruments"


def short_training(patch: pytest.MonkeyPatch) -> None:
    """Processes started from here train without Keras."""
    patch.setenv("PYTHONPATH", str(INSTRUMENTS))
    patch.setenv("SHORT_TRAINING", "1")


@dataclass(frozen=True)
class Breakpoint:
    """An instant at which some process started from here halts, once."""

    place: Path

    @classmethod
    def at(cls, moment: str, place: Path, patch: pytest.MonkeyPatch) -> "Breakpoint":
        """`moment` is "event:text", as `instruments/sitecustomize.py` has it."""
        place.mkdir(exist_ok=True)
        patch.setenv("PYTHONPATH", str(INSTRUMENTS))
        patch.setenv("BREAK_AT", moment)
        patch.setenv("BREAK_PLACE", str(place))
        return cls(place)

    def process(self) -> psutil.Process:
        """The process that halted there, once one has."""
        mark = self.place / "halted"
        return psutil.Process(int(wait_until(lambda: mark.read_text() if mark.exists() else "")))

    def remove(self) -> None:
        """Let the process go on, and halt no other one."""
        self.place.rename(self.place.with_name("removed"))


def runner_of(store: Store) -> psutil.Process:
    """The runner, once there is one."""
    return wait_until(lambda: next(iter(processes_of(store.home, "serve")), None))


def kill(process: psutil.Process) -> None:
    """kill -9."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=HANGS_SECONDS)


def settled(store: Store, run_id: str, seconds: float = HANGS_SECONDS) -> Run:
    """The run once it does not move on by itself, with what every page and command does while it waits."""

    def look() -> Run | None:
        service.ensure(store.home)
        run = store.run(run_id)
        return None if run.state.alive else run

    return wait_until(look, seconds)


@dataclass
class Watchman:
    """Looks all the time which processes work with which device of `home`: at most one with each, whatever is killed."""

    home: Path
    looks: int = 0
    seen: set[str] = field(default_factory=set)
    together: list[tuple[str, list[int]]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def on_guard(self) -> Iterator["Watchman"]:
        """Watch until the block ends, and then fail if a device was seen with two, or none was seen at work."""
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(self._look_again_and_again)
            try:
                yield self
            finally:
                self._over.set()
            watching.result()
        assert self.looks > 3
        assert self.seen
        assert self.together == []

    def _look_again_and_again(self) -> None:
        while not self._over.is_set():
            holders: dict[str, dict[int, int]] = {}
            for process in processes_of(self.home, "work", "spare"):
                with contextlib.suppress(psutil.Error):
                    parent = process.ppid()
                    for device in self._devices_of(process):
                        holders.setdefault(device, {})[process.pid] = parent
            self.looks += 1
            self.seen |= holders.keys()
            # What a process has just forked, to start a command, is a copy of it until then.
            apart = {device: [pid for pid in pids if pids[pid] not in pids] for device, pids in holders.items()}
            self.together += [(device, pids) for device, pids in apart.items() if len(pids) > 1]
            time.sleep(0.1)

    def _devices_of(self, process: psutil.Process) -> set[str]:
        """The devices whose locks a run's process has open."""
        with contextlib.suppress(OSError, psutil.Error):
            folders = (self.home / "leases", settings.gpu_leases())
            opened = [number.readlink() for number in Path(f"/proc/{process.pid}/fd").iterdir()]
            return {path.name for path in opened if path.parent in folders}
        return set()


def assert_whole(store: Store, run_id: str) -> None:
    """What is stored of a run is all or nothing, and nothing of it is there twice."""
    run, folder = store.run(run_id), store.folder(run_id)
    steps = [event.data["step"] for event in store.events(run_id, "step")]
    assert steps == sorted(set(steps))
    epochs = Counter((event.data["phase"], event.data["epoch"]) for event in store.events(run_id, "epoch"))
    assert set(epochs.values()) <= {1}
    if run.state is State.DONE:
        assert steps == list(range(1, steps[-1] + 1))
        assert run.accuracy == artifacts.read_result(folder).accuracy
        assert len(artifacts.read_predictions(folder).labels) == run.test_images
        assert (folder / artifacts.MODEL).stat().st_size
        assert not list(folder.glob("**/.partial-*"))
    elif run.state is not State.CANCELLED:
        assert run.accuracy is None
