"""Runs are named, tagged, starred, noted, archived and deleted on the command line."""

from pathlib import Path

import pytest

from tests.helpers import CommandLine, keep_run
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store


@pytest.fixture
def line(home: Path) -> CommandLine:
    store = Store()
    for run_id, state in (("1-aaa", State.DONE), ("1-bbb", State.PAUSED)):
        keep_run(store, run_id, state)
        store.folder(run_id).mkdir()
        artifacts.write_spec(store.folder(run_id), store.run(run_id).spec)
    return CommandLine(home)


def test_labels_are_in_the_list_and_in_its_json(line: CommandLine) -> None:
    assert 'Run 1-aaa: "[red]x".' in line.call("rename", "aaa", " [red]x ").err
    assert 'Run 1-aaa: "[red]x", #paper, #v2.' in line.call("tag", "aaa", "v2", "paper").err
    assert "#paper, #v2, starred." in line.call("star", "aaa").err
    assert line.call("note", "aaa", "first try").code == 0
    rows = {row["run_id"]: row for row in line.call("runs", "--json").json}
    labelled, other = rows["1-aaa"], rows["1-bbb"]
    assert [labelled[field] for field in ("name", "tags", "starred", "archived", "note")] == [
        *("[red]x", ["paper", "v2"], True, False, "first try")
    ]
    assert [other[field] for field in ("name", "tags", "starred", "archived", "note")] == ["", [], False, False, ""]
    assert labelled["disk_bytes"] == (line.home / "runs" / "1-aaa" / artifacts.SPEC).stat().st_size
    table = line.call("runs").out
    assert "* [red]x" in table
    assert "paper, v2" in table
    assert "kB" in table
    assert "no name." in line.call("rename", "bbb", "").err
    assert "#paper, starred." in line.call("tag", "aaa", "V2", "--undo").err
    assert "starred" not in line.call("star", "aaa", "--undo").err


def test_the_list_is_narrowed_by_tags_and_leaves_archived_runs_out(line: CommandLine) -> None:
    listed = lambda *options: [row["run_id"] for row in line.call("runs", "--json", *options).json]  # noqa: E731
    line.call("tag", "bbb", "x", "y")
    assert listed() == ["1-bbb", "1-aaa"]
    assert listed("--tag", "X", "--tag", "y") == ["1-bbb"]
    assert listed("--tag", "z") == []
    assert "No run has these tags." in line.call("runs", "--tag", "z").out
    assert line.call("archive", "bbb").code == 0
    assert listed() == ["1-aaa"]
    assert listed("--archived") == ["1-bbb", "1-aaa"]
    assert "archived" in line.call("runs", "--archived").out
    line.call("archive", "bbb", "--undo")
    assert listed() == ["1-bbb", "1-aaa"]


def test_a_mistake_is_one_sentence(line: CommandLine) -> None:
    for command in (("rename", "aaa", "x" * 81), ("tag", "aaa", " "), ("archive", "nobody"), ("note", "aaa", "\x1b")):
        done = line.call(*command)
        assert (done.code, done.err[:7]) == (2, "Error: "), done.err


def test_what_works_is_neither_archived_nor_deleted(line: CommandLine) -> None:
    keep_run(Store(), "1-ccc", State.QUEUED)
    assert "cannot be archived" in line.call("archive", "ccc").err


def test_deleting_asks_and_says_what_is_lost(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = line.call("delete", "aaa", "bbb")  # and nobody answers
    assert asked.code == 2
    assert "Its result, its predictions and its trained model are lost." in asked.out
    assert "Delete these 2 runs? [y/N]" in asked.out
    assert len(Store().runs()) == 2
    done = line.call("delete", "aaa", "--yes")
    assert (done.code, done.err) == (0, "Run 1-aaa is deleted.\n")
    assert not (line.home / "runs" / "1-aaa").exists()
    assert [row["run_id"] for row in line.call("runs", "--json").json] == ["1-bbb"]


def test_none_is_deleted_where_one_of_them_works(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_run(Store(), "1-ccc", State.RUNNING)
    monkeypatch.setattr("tl_core.cli.labels.reconcile", lambda store: None)  # its process is not there
    done = line.call("delete", "aaa", "ccc", "--yes")
    assert (done.code, "A run that is running cannot be deleted. Stop it first." in done.err) == (2, True)
    assert len(Store().runs()) == 3
