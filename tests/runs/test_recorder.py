"""What a run reports is written behind its back, once each, and a stop comes through."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise

import pytest

from tests.helpers import keep_run, python, wait_until
from tl_core.errors import Paused, Stopped, StorageError
from tl_core.events import Activity, Checkpoint, Epoch, Plan, Resumed, Stage, Step
from tl_core.executors import LOCK
from tl_core.runner import control
from tl_core.runs.link import StoreLink
from tl_core.runs.recorder import KEPT_STEPS, Recorder
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system import locks

DEAF = """
import sys, time
from tl_core.runs.link import StoreLink
from tl_core.runs.recorder import Recorder
from tl_core.runs.store import Store
with Recorder(StoreLink(Store(), "a")) as recorder:
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store() -> Iterator[Store]:
    """With a run whose lock is held, as its process holds it: a runner that looks meanwhile takes no lost run for it."""
    store = Store()
    keep_run(store, "a", State.RUNNING)
    store.folder("a").mkdir(parents=True, exist_ok=True)
    held = locks.hold(store.folder("a") / LOCK)
    assert held is not None
    yield store
    os.close(held)


def step(number: int) -> Step:
    return Step("head", 1, number, loss=1.0, accuracy=0.5, images_per_second=float(number), done=number / 10_000)


def stored(store: Store) -> list[int]:
    return [event.data["step"] for event in store.events("a", "step")]


def test_events_are_written_from_behind(store: Store) -> None:
    with Recorder(StoreLink(store, "a")) as recorder:
        recorder(Stage(Activity.TRAINING, 0.1, 5.0))
        for number in (1, 2, 3):
            recorder(step(number))
        wait_until(lambda: stored(store) == [1, 2, 3])
        run = store.run("a")
        assert (run.stage, run.done, run.images_per_second) == (Activity.TRAINING, 0.0003, 3.0)
        wait_until(lambda: len(store.events("a", "telemetry")) >= 2)
    assert not [thread for thread in threading.enumerate() if thread.name == "recorder"]
    times = [event.at for event in store.events("a", "step")]
    assert times == sorted(times)


def test_flush_writes_what_waits(store: Store) -> None:
    recorder = Recorder(StoreLink(store, "a"))  # whose thread does not run
    recorder(step(1))
    assert stored(store) == []
    recorder.flush()
    recorder.flush()
    assert stored(store) == [1]


def test_every_event_is_written_once_whoever_flushes(store: Store) -> None:
    """The thread behind and the end of the run flush at the same moment, again and again."""
    recorder = Recorder(StoreLink(store, "a"))
    together = threading.Barrier(3)

    def flush(number: int) -> None:
        for round_number in range(30):
            recorder(step(3 * round_number + number))
            together.wait()
            recorder.flush()
            together.wait()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(flush, (1, 2, 3)))
    assert sorted(stored(store)) == list(range(1, 91))


def test_of_a_long_run_some_steps_are_kept(store: Store) -> None:
    recorder = Recorder(StoreLink(store, "a"))
    steps = 3 * KEPT_STEPS + 1
    recorder(Plan(({"name": "head", "epochs": 1, "steps_per_epoch": steps},), 1, 1, 1))
    for number in range(1, steps + 1):
        recorder(step(number))
    recorder.flush()
    kept = stored(store)
    assert KEPT_STEPS / 2 < len(kept) <= KEPT_STEPS
    assert {after - before for before, after in pairwise(kept)} == {4}
    assert store.run("a").images_per_second == steps  # the progress is that of the last one


@pytest.mark.parametrize(("wish", "told"), [(control.stop, Stopped), (control.pause, Paused)], ids=["stop", "pause"])
def test_a_wish_comes_through_at_the_next_event(store: Store, wish: Callable[[Store, str], None], told: type[Exception]) -> None:
    with Recorder(StoreLink(store, "a")) as recorder:
        recorder(step(1))
        wish(store, "a")
        numbers = count(2)

        def comes_through() -> bool:
            try:
                recorder(step(next(numbers)))
            except told:
                return True
            return False

        wait_until(comes_through)
        with pytest.raises(told):
            recorder(step(next(numbers)))
        recorder.flush()
    assert stored(store) == list(range(1, next(numbers)))  # the event that told it is kept, too


def test_a_stop_outruns_a_pause(store: Store) -> None:
    with Recorder(StoreLink(store, "a")) as recorder:
        control.pause(store, "a")
        control.stop(store, "a")

        def stopped() -> bool:
            with contextlib.suppress(Paused):
                try:
                    recorder(step(1))
                except Stopped:
                    return True
            return False

        wait_until(stopped)


def test_a_pause_asked_for_before_the_first_event_is_told_by_it(store: Store) -> None:
    control.pause(store, "a")
    with pytest.raises(Paused):
        Recorder(StoreLink(store, "a"))(Stage(Activity.STARTING, 0.0))


def test_what_was_reported_is_kept_before_a_checkpoint(store: Store) -> None:
    """Else a run killed after its checkpoint would lack, for ever, the steps that lay waiting to be written."""
    control.pause(store, "a")
    recorder = Recorder(StoreLink(store, "a"))  # whose thread does not run
    with pytest.raises(Paused):
        recorder(step(1))
    recorder(Checkpoint(1))  # while a run is being paused, too
    assert stored(store) == [1]


def test_an_end_is_not_overwritten(store: Store) -> None:
    with Recorder(StoreLink(store, "a")) as recorder:
        recorder(Stage(Activity.STORING, 1.0))
        recorder.flush()
        store.change_state("a", (State.RUNNING,), State.DONE, stage="", done=1.0)
    assert store.run("a").stage == ""
    assert len(store.events("a", "telemetry")) >= 1  # what was used until the end is kept all the same


def test_a_resumed_run_reports_again_what_was_lost(store: Store) -> None:
    recorder = Recorder(StoreLink(store, "a"))
    for number in (1, 2, 3):
        recorder(step(number))
    recorder(Epoch("head", 1, 3, 1.0, 0.5, None, None, 1.0))
    recorder(Resumed(step=2, done=0.5))
    assert stored(store) == [1, 2]
    assert store.events("a", "epoch") == []
    recorder(step(3))
    recorder.flush()
    assert stored(store) == [1, 2, 3]
    assert [event.data for event in store.events("a", "resumed")] == [{"step": 2, "done": 0.5}]


def test_a_run_inside_one_long_operation_ends_where_it_stands(store: Store) -> None:
    def stop() -> None:
        wait_until(lambda: store.events("a", "telemetry"))
        control.stop(store, "a")

    threading.Thread(target=stop).start()
    done = python(DEAF)
    assert (done.code, done.out, done.err) == (0, "ready\n", "")
    assert store.run("a").state is State.CANCELLED


def test_what_cannot_be_written_ends_the_run_with_its_sentence(store: Store) -> None:
    with Recorder(StoreLink(store, "a")) as recorder:
        with sqlite3.connect(store.home / "store.sqlite") as connection:
            connection.execute("DROP TABLE events")

        def report() -> bool:
            recorder(step(1))
            return False

        with pytest.raises(StorageError, match="Runs cannot be stored"):
            wait_until(report)


@pytest.mark.parametrize(("rung", "pauses_after"), [(None, None), (1, 2), (2, 3), (3, None)])
def test_a_run_pauses_at_its_rung_but_not_at_its_end(rung: int | None, pauses_after: int | None, store: Store) -> None:
    """Of a computed head, which counts for nothing, and three epochs."""
    store.update("a", lambda run: {"rung": rung})
    recorder = Recorder(StoreLink(store, "a"))
    phases = [
        {"name": name, "epochs": epochs, "steps_per_epoch": 1, "computed": epochs == 1}
        for name, epochs in (("head", 1), ("all", 3))
    ]
    recorder(Plan(tuple(phases), 4, 4, 4))
    told = [
        Epoch(*place, step, 1.0, 1.0, 1.0, 1.0, 0.1)
        for step, place in enumerate([("head", 1), ("all", 1), ("all", 2), ("all", 3)], 1)
    ]
    for event in told[: pauses_after and pauses_after - 1]:
        recorder(event)
    if pauses_after:
        with pytest.raises(Paused):
            recorder(told[pauses_after - 1])
        recorder.flush()
    assert (store.run("a").stage == Activity.WAITING_AT_RUNG) == bool(pauses_after)
    assert store.run("a").state is (State.PAUSING if pauses_after else State.RUNNING)
