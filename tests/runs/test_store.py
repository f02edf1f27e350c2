"""The store with many writers and readers at once: real processes on a real file."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import HANGS_SECONDS, ROOT, keep_run
from tl_core.errors import RunError, StorageError
from tl_core.events import Activity, Epoch, Event, Stage, Step
from tl_core.runs.database import Database
from tl_core.runs.states import AT_WORK, State, before
from tl_core.runs.store import Priority, Store
from tl_core.spec import RunSpec
from tl_core.system.settings import HOME_VARIABLE

TOGETHER = 8
STEP = """
import sys
from tl_core.runs.store import Store
print("ready", flush=True)
sys.stdin.readline()
"""
OPEN = STEP + "Store().runs()"
WIN = """
import sys
from tl_core.runs.states import State
from tl_core.runs.store import Store
store = Store()
print("ready", flush=True)
sys.stdin.readline()
print(store.change_state("a", (State.QUEUED,), State.STARTING, stage=sys.argv[1]))
"""
WRITE = """
import sys, time
from tl_core.events import Activity, Stage
from tl_core.runs.store import Store
store = Store()
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    store.record("a", [(time.time(), Stage(Activity.OTHER, 0.0, phase=f"{sys.argv[1]} {number} {part}")) for part in range(3)])
"""


FIRST_VERSION = """
CREATE TABLE runs (id VARCHAR NOT NULL PRIMARY KEY, spec JSON NOT NULL, state VARCHAR NOT NULL, created FLOAT NOT NULL,
    started FLOAT, ended FLOAT, changed FLOAT NOT NULL, pid INTEGER, stage VARCHAR DEFAULT '' NOT NULL,
    done FLOAT DEFAULT '0' NOT NULL, images_per_second FLOAT, error VARCHAR, error_kind VARCHAR, correct INTEGER,
    test_images INTEGER, test_digest VARCHAR, seconds FLOAT, trainable_parameters INTEGER, total_parameters INTEGER);
CREATE INDEX ix_runs_state ON runs (state);
CREATE TABLE events (id INTEGER NOT NULL PRIMARY KEY, run_id VARCHAR NOT NULL REFERENCES runs (id), at FLOAT NOT NULL,
    kind VARCHAR NOT NULL, data JSON NOT NULL);
CREATE INDEX events_of_run ON events (run_id, kind, id);
"""


@pytest.fixture
def store() -> Store:
    store = Store()
    store.create("a", RunSpec())
    return store


def together(code: str, count: int = TOGETHER) -> list[str]:
    """What `count` processes print that all start `code` at the same moment, once each has said that it is ready."""
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(n)], stdin=-1, stdout=-1, stderr=-1, text=True, cwd=ROOT)
        for n in range(count)
    ]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=HANGS_SECONDS) for process in started]
    assert [err for _, err in ends] == [""] * count
    return [out.strip() for out, _ in ends]


@pytest.mark.full
@pytest.mark.process
def test_a_fresh_store_can_be_opened_by_many_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        monkeypatch.setenv(HOME_VARIABLE, str(home / str(number)))
        together(OPEN)
        Store().create("a", RunSpec())
        assert Store().run("a").state is State.QUEUED


@pytest.mark.process
def test_of_many_processes_one_wins(store: Store) -> None:
    won = together(WIN)
    assert sorted(won) == ["False"] * (TOGETHER - 1) + ["True"]
    assert store.run("a").stage == str(won.index("True"))  # the losers have changed nothing


def test_of_many_threads_one_wins(store: Store) -> None:
    barrier = threading.Barrier(TOGETHER)

    def stop(number: int) -> bool:
        barrier.wait()
        return store.change_state("a", (State.QUEUED,), State.CANCELLED, stage=str(number))

    with ThreadPoolExecutor(TOGETHER) as pool:
        won = list(pool.map(stop, range(TOGETHER)))
    assert won.count(True) == 1
    assert store.run("a").stage == str(won.index(True))


@pytest.mark.process
def test_writers_lose_nothing_and_readers_see_whole_writes(store: Store) -> None:
    seen = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.append(len(store.events("a", "stage")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        together(WRITE, 4)
    finally:
        over.set()
        reader.join()
    titles = {event.data["phase"] for event in store.events("a", "stage")}
    assert titles == {f"{writer} {number} {part}" for writer in range(4) for number in range(100) for part in range(3)}
    assert len(set(seen)) > 3  # it read while they wrote
    assert seen == sorted(seen)
    assert not [count for count in seen if count % 3]


def test_a_state_is_left_only_from_where_it_may_be(store: Store) -> None:
    assert not store.change_state("a", (State.RUNNING,), State.DONE, correct=1, test_images=2)
    run = store.run("a")
    assert (run.state, run.correct, run.ended, run.accuracy) == (State.QUEUED, None, None, None)
    for to in (State.STARTING, State.RUNNING):
        assert store.change_state("a", before(to), to)
    assert store.change_state("a", before(State.DONE), State.DONE, correct=1, test_images=2)
    run = store.run("a")
    assert (run.state, run.accuracy) == (State.DONE, 0.5)
    assert run.ended
    assert run.ended == run.changed >= run.created
    assert not store.change_state("a", before(State.FAILED), State.FAILED)
    assert not store.change_state("nobody", before(State.DONE), State.DONE)


def test_a_run_is_kept_as_it_was_given(store: Store) -> None:
    spec = RunSpec().with_settings({"dataset.labels_per_class": 3, "strategy": "lp_ft", "strategy.blocks": None})
    store.create("b", spec)
    assert Store().run("b").spec == spec
    assert [run.id for run in store.runs()] == ["b", "a"]


def test_only_those_at_work_and_only_those_in_line(store: Store) -> None:
    for state in State:
        keep_run(store, state, state)
    assert [run.state for run in store.at_work()] == [state for state in State if state.at_work]
    assert [run.id for run in store.queue()] == ["a", State.QUEUED]
    assert set(AT_WORK) == {run.state for run in store.at_work()}
    assert len(store.runs()) == 1 + len(State)


def line(store: Store) -> str:
    return "".join(run.id for run in store.queue())


def test_the_line_is_by_priority_then_by_time(store: Store) -> None:
    for name, priority in {"b": Priority.NORMAL, "c": Priority.HIGH, "d": Priority.LOW, "e": Priority.HIGH}.items():
        store.create(name, RunSpec(), priority=priority)
    assert line(store) == "ceabd"
    assert store.prioritise("d", Priority.HIGH)
    assert line(store) == "cedab"
    assert store.change_state("c", (State.QUEUED,), State.STARTING)
    assert not store.prioritise("c", Priority.LOW)
    assert store.run("c").priority is Priority.HIGH


def test_a_run_that_is_queued_again_waits_behind_the_others(store: Store) -> None:
    store.create("b", RunSpec())
    assert store.change_state("a", (State.QUEUED,), State.PAUSED)
    assert store.change_state("a", (State.PAUSED,), State.QUEUED)
    assert line(store) == "ba"


def test_a_run_that_its_runner_could_not_launch_keeps_its_place(store: Store) -> None:
    store.create("b", RunSpec())
    assert store.change_state("a", (State.QUEUED,), State.STARTING)
    assert store.change_state("a", (State.STARTING,), State.QUEUED)
    assert line(store) == "ab"


@settings(max_examples=60, deadline=None)
@given(
    priorities=st.lists(st.sampled_from(Priority), min_size=1, max_size=6),
    moves=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=6),
)
def test_a_moved_run_stands_where_it_was_put(
    tmp_path_factory: pytest.TempPathFactory, priorities: list[Priority], moves: list[tuple[int, int]]
) -> None:
    store = Store(tmp_path_factory.mktemp("moved"))
    for number, priority in enumerate(priorities):
        store.create(str(number), RunSpec(), priority=priority)
    expected = [run.id for run in store.queue()]
    for index, to in moves:
        run_id = expected.pop(index % len(expected))
        expected.insert(min(to, len(expected)), run_id)
        assert store.move(run_id, to)
        assert [run.id for run in store.queue()] == expected
    ranks = [run.priority for run in store.queue()]
    assert ranks == sorted(ranks, reverse=True)


def test_moving_to_and_fro_a_thousand_times_puts_each_where_it_was_asked(store: Store) -> None:
    """Numbers between two others would have run out long before."""
    store.create("b", RunSpec())
    store.create("c", RunSpec())
    for number in range(1000):
        moved = "bc"[number % 2]
        assert store.move(moved, 1)
        assert line(store)[1] == moved
    store.create("d", RunSpec())
    assert line(store)[3] == "d"


def test_what_does_not_wait_is_not_moved(store: Store) -> None:
    keep_run(store, "b", State.RUNNING)
    assert not store.move("b", 0)
    assert not store.move("nobody", 0)


def test_an_attempt_that_is_past_changes_nothing(store: Store) -> None:
    store.change_state("a", (State.QUEUED,), State.STARTING, attempts=2)
    assert not store.change_state("a", (State.STARTING,), State.CRASHED, attempt=1)
    assert store.change_state("a", (State.STARTING,), State.CRASHED, attempt=2)


def test_what_must_outlive_a_power_cut_reaches_the_disk_before_it_is_done(home: Path) -> None:
    """By SQLite's own word: FULL is 2, NORMAL is 1. One connection serves both."""
    home.mkdir()
    database = Database(home / "store.sqlite")
    for durable in (True, False, True):
        with database.writing(durable=durable) as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == (2 if durable else 1)


def test_the_two_clocks(store: Store) -> None:
    """Waiting runs in the queue and while Python starts, running while it trains; a pause stops both."""
    at = store.run("a").created

    def clocks(after: float) -> tuple[float, float]:
        run = store.run("a")
        return run.waiting_seconds(run.changed + after), run.running_seconds(run.changed + after)

    assert clocks(5) == (5, 0)
    ticks: list[float] = []
    for to in (
        State.STARTING,
        State.RUNNING,
        State.PAUSING,
        State.PAUSED,
        State.QUEUED,
        State.STARTING,
        State.RUNNING,
        State.DONE,
    ):
        time.sleep(0.02)
        store.change_state("a", before(to), to)
        ticks.append(store.run("a").changed)
    spans = [after - earlier for earlier, after in pairwise([at, *ticks])]
    waited, ran = spans[0] + spans[1] + spans[5] + spans[6], spans[2] + spans[3] + spans[7]
    assert clocks(5) == (pytest.approx(waited, abs=1e-4), pytest.approx(ran, abs=1e-4))  # an end stops both, too


def test_a_resumed_run_has_no_error_and_no_end(store: Store) -> None:
    keep_run(store, "b", State.CRASHED, error="It fell.", error_kind="Crash", done=0.5)
    assert store.run("b").ended
    assert store.change_state("b", (State.CRASHED,), State.QUEUED)
    run = store.run("b")
    assert (run.error, run.error_kind, run.ended, run.done) == (None, None, None, 0.5)


def test_what_is_void_is_forgotten(store: Store) -> None:
    store.create("b", RunSpec())
    for name in "ab":
        epoch = Epoch("head", 1, 5, 1.0, 0.5, None, None, 1.0)
        store.record(name, [*steps(5), (9.0, epoch), (9.0, Stage(Activity.TESTING, 1.0))])
    store.forget_after("a", 3)
    assert [event.data["step"] for event in store.events("a", "step")] == [1, 2, 3]
    assert (len(store.events("a", "epoch")), len(store.events("a", "stage"))) == (0, 1)
    assert (len(store.events("b", "step")), len(store.events("b", "epoch"))) == (5, 1)


def test_a_store_of_the_first_version_is_widened_and_kept(home: Path) -> None:
    home.mkdir(parents=True)
    spec = RunSpec().model_dump(mode="json")
    del spec["executor"]
    with contextlib.closing(sqlite3.connect(home / "store.sqlite")) as connection, connection:
        connection.executescript(FIRST_VERSION)
        row = ("old", json.dumps(spec), "done", 1.0, 2.0, 3.0, 3.0, 4711, "", 1.0, 3, 4)
        connection.execute(
            "INSERT INTO runs (id, spec, state, created, started, ended, changed, pid, stage, done, correct, test_images) "
            f"VALUES ({','.join('?' * len(row))})",
            row,
        )
        connection.execute("INSERT INTO events (run_id, at, kind, data) VALUES ('old', 2.5, 'stage', '{\"title\": \"x\"}')")
    together(OPEN, 4)
    run = Store().run("old")
    assert (run.accuracy, run.priority, run.attempts, run.handle, run.waited) == (0.75, Priority.NORMAL, 0, None, 0.0)
    assert run.spec == RunSpec()
    assert len(Store().events("old", "stage")) == 1
    Store().create("new", RunSpec())
    assert [run.id for run in Store().queue()] == ["new"]


def test_a_run_is_named_by_the_end_of_its_id(store: Store) -> None:
    store.create("20260101-abc", RunSpec())
    store.create("20260101-abd", RunSpec())
    assert store.named("abc") == "20260101-abc"
    assert store.named("a") == "a"  # exactly that one, though others end so too
    with pytest.raises(RunError, match="There is no run of that id here"):
        store.named("%")
    store.create("x-abc", RunSpec())
    with pytest.raises(RunError, match="Several runs have ids that end so"):
        store.named("abc")


def test_ids_are_new_and_have_a_folder(store: Store) -> None:
    folders = [store.new_folder() for _ in range(20)]
    assert len({folder.name for folder in folders}) == 20
    assert all(folder.is_dir() and folder == store.folder(folder.name) for folder in folders)


def test_an_unknown_run_is_told(store: Store) -> None:
    with pytest.raises(RunError, match=r"There is no run of that id here\..*Received: nobody"):
        store.run("nobody")
    assert store.events("nobody", "step") == []


def test_progress_and_events_are_one_write(store: Store) -> None:
    store.record("a", [(1.5, Stage(Activity.TESTING, 0.5))], stage=Activity.TESTING, done=0.5, images_per_second=3.0)
    run = store.run("a")
    assert (run.stage, run.done, run.images_per_second) == (Activity.TESTING, 0.5, 3.0)
    (event,) = store.events("a", "stage")
    assert (event.at, event.kind, event.data["activity"]) == (1.5, "stage", "testing")
    store.record("a", [])
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.record("nobody", [(1.0, Stage(Activity.TESTING, 0.5))])
    assert len(store.events("a", "stage")) == 1


def steps(count: int) -> list[tuple[float, Event]]:
    return [
        (float(n), Step("head", 1, n, loss=1.0, accuracy=0.5, images_per_second=9.0, done=n / count)) for n in range(1, count + 1)
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 300), most=st.integers(1, 200))
def test_thinned_events_are_even_and_keep_the_last(tmp_path_factory: pytest.TempPathFactory, count: int, most: int) -> None:
    store = Store(tmp_path_factory.mktemp("thinned"))
    store.create("a", RunSpec())
    store.create("b", RunSpec())
    for event in steps(count):  # those of another run lie between
        store.record("b", [event])
        store.record("a", [event])
    kept = [event.data["step"] for event in store.events("a", "step", most=most)]
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert kept[-1:] == ([count] if count else [])
    assert len({after - before for before, after in pairwise(kept)}) <= 1
    assert len(kept) == count or 2 * len(kept) + 1 >= min(count, most)
    assert len(store.events("a", "step")) == count


def test_a_home_with_odd_characters(tmp_path: Path) -> None:
    odd = tmp_path / "ö ?#%20&'x"
    Store(odd).create("a", RunSpec())
    assert [run.id for run in Store(odd).runs()] == ["a"]
    assert (odd / "store.sqlite").is_file()


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=rf"Runs cannot be stored.*{HOME_VARIABLE}.*Received: .*file"):
        Store(tmp_path / "file")


def test_a_file_that_is_no_store_is_told_and_kept(home: Path) -> None:
    home.mkdir()
    (home / "store.sqlite").write_bytes(b"not a database, and somebody's" * 100)
    with pytest.raises(StorageError, match=r"Runs cannot be stored .*not a database"):
        Store()
    assert (home / "store.sqlite").read_bytes().startswith(b"not a database")
