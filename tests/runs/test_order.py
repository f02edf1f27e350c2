"""Runs stand in the order in which they were made and changed, whatever the clock says: it is set back by two hours here."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from tests.helpers import keep_run
from tests.runs.test_store import FIRST_VERSION
from tl_core.events import Activity, Stage
from tl_core.runs.states import State, before
from tl_core.runs.store import Priority, Store
from tl_core.spec import RunSpec

HOURS = 7200.0


@pytest.fixture
def store() -> Store:
    return Store()


def set_back(patch: pytest.MonkeyPatch, seconds: float = HOURS) -> None:
    now = time.time
    patch.setattr(time, "time", lambda: now() - seconds)


def names(store: Store, after: int = 0) -> list[str]:
    return [run.id for run in store.changes(after).runs]


def test_what_changes_later_is_found_though_its_time_is_earlier(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        keep_run(store, name, State.RUNNING)
    known = max(run.revision for run in store.runs())
    assert names(store, known) == []
    set_back(monkeypatch)
    assert store.change_state("a", before(State.DONE), State.DONE)
    assert names(store, known) == ["a"]
    store.create("c", RunSpec())
    assert names(store, known) == ["c", "a"]
    assert names(store) == ["c", "b", "a"]


@pytest.mark.parametrize("change", ["progress", "priority", "place"])
def test_every_change_of_a_run_is_counted(store: Store, change: str) -> None:
    for name in "ab":
        store.create(name, RunSpec())
    known = max(run.revision for run in store.runs())
    if change == "progress":
        store.record("a", [(1.0, Stage(Activity.TESTING, 0.5))], done=0.5)
    elif change == "priority":
        assert store.prioritise("a", Priority.HIGH)
    else:
        assert store.move("b", 0)
    assert set(names(store, known)) == ({"a"} if change != "place" else {"a", "b"})


def test_what_changed_nothing_is_not_counted(store: Store) -> None:
    store.create("a", RunSpec())
    known = store.run("a").revision
    assert not store.change_state("a", (State.RUNNING,), State.DONE)
    store.record("a", [(1.0, Stage(Activity.TESTING, 0.5))])  # an event alone says nothing of the run itself
    assert names(store, known) == []


def test_the_line_is_first_come_first_served(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("a", RunSpec())
    set_back(monkeypatch)
    for name in "bcd":
        store.create(name, RunSpec())
    line = lambda: "".join(run.id for run in store.queue())  # noqa: E731
    assert line() == "abcd"
    assert store.prioritise("a", Priority.NORMAL)
    assert line() == "bcda"
    assert store.move("d", 0)
    store.create("e", RunSpec())
    assert line() == "dbcae"
    assert store.change_state("b", (State.QUEUED,), State.PAUSED)
    assert store.change_state("b", (State.PAUSED,), State.QUEUED)
    assert line() == "dcaeb"


def test_those_at_work_are_the_oldest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_run(store, "b", State.RUNNING)
    set_back(monkeypatch)
    keep_run(store, "a", State.RUNNING)
    assert [run.id for run in store.at_work()] == ["b", "a"]


def stored_before(home: Path, tables: str = FIRST_VERSION) -> sqlite3.Connection:
    """A store of an earlier version with two runs, the later of which bears the earlier time."""
    home.mkdir(parents=True)
    connection = sqlite3.connect(home / "store.sqlite", isolation_level=None)
    connection.executescript(tables)
    insert(connection, "first", created=1e9 + HOURS)
    insert(connection, "second", created=1e9)
    return connection


def insert(connection: sqlite3.Connection, run_id: str, created: float) -> None:
    row = run_id, RunSpec().model_dump_json(), "running", created, created
    connection.execute("INSERT INTO runs (id, spec, state, created, changed) VALUES (?, ?, ?, ?, ?)", row)


def test_a_store_of_an_earlier_version_is_counted(home: Path) -> None:
    stored_before(home).close()
    store = Store()
    assert names(store) == ["second", "first"]
    store.create("third", RunSpec())
    assert names(Store()) == ["third", "second", "first"]
    assert [run.number for run in store.runs()] == [3, 2, 1]


def test_what_an_earlier_version_that_is_still_at_work_writes_is_counted(home: Path) -> None:
    with contextlib.closing(stored_before(home)) as earlier:
        store = Store()
        known = max(run.revision for run in store.runs())
        earlier.execute("UPDATE runs SET state = 'done', changed = 1 WHERE id = 'first'")
        assert names(store, known) == ["first"]
        insert(earlier, "third", created=1.0)
        assert names(store, known) == ["third", "first"]
        assert names(store) == ["third", "second", "first"]


def test_waiting_runs_of_an_earlier_version_keep_their_places(store: Store, home: Path) -> None:
    """Which were times."""
    for name in "ab":
        store.create(name, RunSpec())
    with contextlib.closing(sqlite3.connect(home / "store.sqlite", isolation_level=None)) as earlier:
        earlier.execute("UPDATE runs SET place = 1.8e9 WHERE id = 'b'")
    store.create("c", RunSpec())
    assert [run.id for run in store.queue()] == ["a", "b", "c"]
