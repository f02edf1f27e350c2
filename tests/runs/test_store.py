"""The store with many writers and readers at once: real processes on a real file."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import ROOT
from tl_core.errors import RunError, StorageError
from tl_core.events import Event, Stage, Step
from tl_core.runs.states import ALIVE, STOPPABLE, State
from tl_core.runs.store import Store
from tl_core.settings import HOME_VARIABLE
from tl_core.spec import RunSpec

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
print(store.change_state("a", (State.STARTING,), State.RUNNING, stage=sys.argv[1]))
"""
WRITE = """
import sys, time
from tl_core.events import Stage
from tl_core.runs.store import Store
store = Store()
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    store.record("a", [(time.time(), Stage(f"{sys.argv[1]} {number} {part}", 0.0)) for part in range(3)])
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
    ends = [process.communicate(timeout=60) for process in started]
    assert [err for _, err in ends] == [""] * count
    return [out.strip() for out, _ in ends]


def test_a_fresh_store_can_be_opened_by_many_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        monkeypatch.setenv(HOME_VARIABLE, str(home / str(number)))
        together(OPEN)
        Store().create("a", RunSpec())
        assert Store().run("a").state is State.STARTING


def test_of_many_processes_one_wins(store: Store) -> None:
    won = together(WIN)
    assert sorted(won) == ["False"] * (TOGETHER - 1) + ["True"]
    assert store.run("a").stage == str(won.index("True"))  # the losers have changed nothing


def test_of_many_threads_one_wins(store: Store) -> None:
    barrier = threading.Barrier(TOGETHER)

    def stop(number: int) -> bool:
        barrier.wait()
        return store.change_state("a", STOPPABLE, State.CANCELLING, stage=str(number))

    with ThreadPoolExecutor(TOGETHER) as pool:
        won = list(pool.map(stop, range(TOGETHER)))
    assert won.count(True) == 1
    assert store.run("a").stage == str(won.index(True))


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
    titles = {event.data["title"] for event in store.events("a", "stage")}
    assert titles == {f"{writer} {number} {part}" for writer in range(4) for number in range(100) for part in range(3)}
    assert len(set(seen)) > 3  # it read while they wrote
    assert seen == sorted(seen)
    assert not [count for count in seen if count % 3]


def test_a_state_is_left_only_from_where_it_may_be(store: Store) -> None:
    assert not store.change_state("a", (State.RUNNING,), State.DONE, correct=1, test_images=2)
    run = store.run("a")
    assert (run.state, run.correct, run.ended, run.accuracy) == (State.STARTING, None, None, None)
    assert store.change_state("a", ALIVE, State.DONE, correct=1, test_images=2)
    run = store.run("a")
    assert (run.state, run.accuracy) == (State.DONE, 0.5)
    assert run.ended
    assert run.ended == run.changed >= run.created
    assert not store.change_state("a", ALIVE, State.CANCELLED)
    assert not store.change_state("nobody", tuple(State), State.DONE)


def test_a_run_is_kept_as_it_was_given(store: Store) -> None:
    spec = RunSpec().with_settings({"dataset.labels_per_class": 3, "strategy": "fine_tuning", "strategy.blocks": None})
    store.create("b", spec)
    assert Store().run("b").spec == spec
    assert [run.id for run in store.runs()] == ["b", "a"]


def test_only_those_alive(store: Store) -> None:
    for state in State:
        store.create(state, RunSpec())
        store.change_state(state, (State.STARTING,), state)
    assert {run.state for run in store.runs(alive=True)} == set(ALIVE) == {state for state in State if state.alive}
    assert len(store.runs()) == 1 + len(State)


def test_ids_are_new_and_have_a_folder(store: Store) -> None:
    folders = [store.new_folder() for _ in range(20)]
    assert len({folder.name for folder in folders}) == 20
    assert all(folder.is_dir() and folder == store.folder(folder.name) for folder in folders)


def test_an_unknown_run_is_told(store: Store) -> None:
    with pytest.raises(RunError, match=r"There is no run of that id here\..*Received: nobody"):
        store.run("nobody")
    assert store.events("nobody", "step") == []


def test_progress_and_events_are_one_write(store: Store) -> None:
    store.record("a", [(1.5, Stage("Testing", 0.5))], stage="Testing", done=0.5, images_per_second=3.0)
    run = store.run("a")
    assert (run.stage, run.done, run.images_per_second) == ("Testing", 0.5, 3.0)
    (event,) = store.events("a", "stage")
    assert (event.at, event.kind, event.data["title"]) == (1.5, "stage", "Testing")
    store.record("a", [])
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.record("nobody", [(1.0, Stage("Testing", 0.5))])
    assert len(store.events("a", "stage")) == 1


def steps(count: int) -> list[tuple[float, Event]]:
    return [
        (float(n), Step("head", 1, n, loss=1.0, accuracy=0.5, images_per_second=9.0, done=n / count)) for n in range(1, count + 1)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
