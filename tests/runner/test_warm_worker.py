"""Memory is kept for a run that somebody may ask for, and for nobody else."""

import time
from pathlib import Path

import pytest

from tests.helpers import keep_run, processes_of, wait_until
from tests.runner.test_runner import short, the_spare
from tests.tools.crashing import settled, short_training
from tl_core.runner import control, runner, service
from tl_core.runner.runner import WATCHED_SECONDS, Runner
from tl_core.runner.warm_worker import WarmWorker
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system.settings import SPARE_VARIABLE


class Alive:
    """A process that has not ended."""

    def poll(self) -> None:
        return None


class Counted:
    """A spare that starts no process."""

    here = 0

    def __init__(self, home: Path) -> None:
        self.process = Alive()
        Counted.here += 1

    @staticmethod
    def affordable() -> bool:
        return True

    def close(self) -> None:
        Counted.here -= 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pass when the test says so."""
    seconds, began = [0.0], time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + seconds[0])
    monkeypatch.setattr(runner, "WarmWorker", Counted)
    monkeypatch.setattr(Counted, "here", 0)
    return seconds


def nothing_free(attending: Runner) -> Runner:
    """A runner that launches nothing: no device is free."""
    attending._known_devices = lambda: ()  # type: ignore[method-assign]
    return attending


def test_none_without_a_page(clock: list[float]) -> None:
    Runner(Store()).tick()
    assert Counted.here == 0


def test_one_while_a_page_says_that_it_is_open(clock: list[float]) -> None:
    attending = Runner(Store(), watched=True)
    for _ in range(5):
        attending.tick()
        assert Counted.here == 1
        clock[0] += WATCHED_SECONDS / 3
        attending.hear_of_a_page()
    clock[0] += WATCHED_SECONDS + 1
    attending.tick()
    assert Counted.here == 0


def test_a_page_in_the_background_keeps_none(clock: list[float]) -> None:
    """Browsers let it speak once a minute."""
    attending = Runner(Store())
    for _ in range(3):
        clock[0] += 60
        attending.hear_of_a_page()
        attending.tick()
        assert Counted.here == 0


def test_one_while_a_run_waits(clock: list[float]) -> None:
    store = Store()
    keep_run(store, "waits")
    attending = nothing_free(Runner(store))
    attending.tick()
    assert Counted.here == 1
    assert store.change_state("waits", (State.QUEUED,), State.CANCELLED)
    attending.tick()
    assert Counted.here == 0


def test_looking_at_what_the_runner_does_is_not_looking_at_a_page(clock: list[float]) -> None:
    """The command line rings four times a second while it waits."""
    attending = Runner(Store())
    keep_run(attending._store, "done", State.DONE)
    for _ in range(3):
        attending.tick()
        assert Counted.here == 0


@pytest.mark.process
def test_after_a_run_from_the_command_line_only_the_runner_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    short_training(monkeypatch)
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    store = Store()
    assert WarmWorker.affordable()
    assert settled(store, control.start(store, short())).state is State.DONE
    wait_until(lambda: len(processes_of(store.home)) == len(processes_of(store.home, "serve")) == 1, 30)


@pytest.mark.process
def test_a_page_has_a_spare_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    store = Store()
    service.ensure(store.home, watched=True)
    the_spare(store)
    wait_until(lambda: not processes_of(store.home, "spare"), WATCHED_SECONDS + 30)
