"""What people say of runs: names, tags, stars, notes, the archive. Many may say it at once."""

import contextlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers import keep_run
from tests.runs.test_store import FIRST_VERSION
from tl_core.errors import RunError, SettingError
from tl_core.runs import labels
from tl_core.runs.states import State, before
from tl_core.runs.store import Store
from tl_core.spec import RunSpec


@pytest.fixture
def store() -> Store:
    store = Store()
    store.create("a", RunSpec())
    return store


def test_a_run_begins_without_labels(store: Store) -> None:
    run = store.run("a")
    assert (run.name, run.tags, run.starred, run.archived, run.note, run.disk_bytes) == ("", (), False, False, "", None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("baseline", "baseline"),
        ("  two\twords\n", "two words"),
        ("**bold** <b>x</b> $y$ :red[z]", "**bold** <b>x</b> $y$ :red[z]"),  # text, wherever it is shown
        ("e\N{COMBINING ACUTE ACCENT}", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"),
        ("x" * 80, "x" * 80),
        (" ", ""),
    ],
)
def test_a_name_is_kept_in_one_line_and_one_spelling(given: str, kept: str, store: Store) -> None:
    labels.rename(store, "a", given)
    assert store.run("a").name == kept


@pytest.mark.parametrize(
    "given", ["x" * 81, "a\x00b", "a\x1b[31mb", "\N{RIGHT-TO-LEFT OVERRIDE}a", b"\xff".decode(errors="surrogateescape")]
)
def test_what_is_too_long_or_cannot_be_seen_is_no_name_no_tag_and_no_note(given: str, store: Store) -> None:
    with pytest.raises(SettingError, match="name"):
        labels.rename(store, "a", given)
    with pytest.raises(SettingError, match="tag"):
        labels.tag(store, "a", add=[given])
    with pytest.raises(SettingError, match="note"):
        labels.annotate(store, "a", given * 30)
    run = store.run("a")
    assert (run.name, run.tags, run.note) == ("", (), "")


def test_two_runs_may_have_one_name(store: Store) -> None:
    store.create("b", RunSpec())
    for run_id in "ab":
        labels.rename(store, run_id, "same")
    assert [run.name for run in store.runs()] == ["same", "same"]


def test_a_note_keeps_its_lines(store: Store) -> None:
    labels.annotate(store, "a", "one  \r\n\n two\n")
    assert store.run("a").note == "one\n\n two"


def test_of_two_who_change_a_name_the_later_one_is_told(store: Store) -> None:
    labels.rename(store, "a", "first", seen="")
    with pytest.raises(RunError, match="Somebody has changed the name of this run meanwhile"):
        labels.rename(store, "a", "second", seen="")
    with pytest.raises(RunError, match="Somebody has changed the note"):
        labels.annotate(store, "a", "text", seen="another one")
    assert store.run("a").name == "first"
    labels.rename(store, "a", "second", seen="first")
    labels.rename(store, "a", "third")  # whatever it was
    assert store.run("a").name == "third"


def test_tags_that_are_given_at_the_same_time_all_stay(store: Store) -> None:
    labels.tag(store, "a", add=["old"])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: labels.tag(store, "a", add=[f"t{number}"], remove=["old"]), range(8)))
    assert store.run("a").tags == tuple(f"t{number}" for number in range(8))


def test_a_tag_is_there_once_whatever_its_letters(store: Store) -> None:
    labels.tag(store, "a", add=["Paper", "b"])
    labels.tag(store, "a", add=["paper"], remove=["B"])
    assert store.run("a").tags == ("paper",)
    with pytest.raises(SettingError, match="A tag is blank"):
        labels.tag(store, "a", add=[" "])
    with pytest.raises(SettingError, match=f"at most {labels.MOST_TAGS} tags"):
        labels.tag(store, "a", add=[str(number) for number in range(labels.MOST_TAGS)])
    assert labels.tags_of(store.runs()) == ["paper"]


@pytest.mark.parametrize("state", State)
def test_what_moves_on_by_itself_is_not_archived(state: State, store: Store) -> None:
    keep_run(store, "b", state)
    if state.alive:
        with pytest.raises(RunError, match=f"A run that is {state} cannot be archived"):
            labels.archive(store, "b")
    else:
        labels.archive(store, "b")
    assert store.run("b").archived is not state.alive
    labels.archive(store, "b", on=False)
    assert not store.run("b").archived


def test_a_run_that_is_resumed_comes_back_to_the_lists(store: Store) -> None:
    keep_run(store, "b", State.PAUSED)
    labels.archive(store, "b")
    assert store.change_state("b", before(State.QUEUED), State.QUEUED)
    assert not store.run("b").archived


def test_every_label_is_seen_by_the_next_look_and_none_is_a_change_of_state(store: Store) -> None:
    began, state = store.run("a").revision, store.run("a").state_revision
    for number, write in enumerate(
        (
            lambda: labels.rename(store, "a", "x"),
            lambda: labels.tag(store, "a", add=["x"]),
            lambda: labels.star(store, "a"),
            lambda: labels.annotate(store, "a", "x"),
        ),
        start=1,
    ):
        write()
        assert store.changes(began + number - 1).revision == began + number
    assert store.run("a").state_revision == state
    assert store.change_state("a", (State.QUEUED,), State.PAUSED)
    assert store.run("a").state_revision == store.run("a").revision > began


BEFORE_LABELS = """
ALTER TABLE runs ADD COLUMN waited FLOAT DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN ran FLOAT DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN priority INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN place FLOAT DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN attempts INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN environment JSON DEFAULT '{}' NOT NULL;
ALTER TABLE runs ADD COLUMN device VARCHAR;
ALTER TABLE runs ADD COLUMN handle VARCHAR;
ALTER TABLE runs ADD COLUMN collected INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN number INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE runs ADD COLUMN revision INTEGER DEFAULT '0' NOT NULL;
CREATE TRIGGER runs_made AFTER INSERT ON runs BEGIN
    UPDATE runs SET (number, revision) = (SELECT max(revision) + 1, max(revision) + 1 FROM runs) WHERE id = NEW.id;
END;
CREATE TRIGGER runs_changed AFTER UPDATE ON runs WHEN NEW.revision = OLD.revision BEGIN
    UPDATE runs SET revision = (SELECT max(revision) + 1 FROM runs) WHERE id = NEW.id;
END;
"""
"""What the version before labels made of a first store."""
OLD_INSERT = "INSERT INTO runs (id, spec, state, created, changed, stage, done) VALUES (?, ?, ?, 1.0, 1.0, '', 0.0)"


def test_a_store_of_the_version_before_labels_is_migrated_with_its_order(home: Path) -> None:
    home.mkdir(parents=True)
    spec = json.dumps(RunSpec().model_dump(mode="json"))
    with contextlib.closing(sqlite3.connect(home / "store.sqlite")) as old, old:
        old.executescript(FIRST_VERSION + BEFORE_LABELS)
        for name in ("first", "second", "third"):
            old.execute(OLD_INSERT, (name, spec, State.RUNNING))
        for name in ("second", "first"):  # the order in which they ended
            old.execute("UPDATE runs SET state = ? WHERE id = ?", (State.DONE, name))
    store = Store()
    found = {run.id: run for run in store.runs()}
    assert [(found[name].number, found[name].revision) for name in ("first", "second", "third")] == [(1, 5), (2, 4), (3, 3)]
    assert all(run.state_revision == run.revision for run in found.values())
    labels.rename(store, "third", "x")
    assert (store.run("third").revision, store.run("third").state_revision) == (6, 3)
    with contextlib.closing(sqlite3.connect(home / "store.sqlite")) as old, old:  # a process of that version is still at work
        old.execute(OLD_INSERT, ("late", spec, State.QUEUED))
    assert (store.run("late").number, store.run("late").revision, store.run("late").state_revision) == (7, 7, 7)
