"""An unset variable leaves an option blank: it is told, and never taken for what is there anyway."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helpers import keep_run
from tl_core.__main__ import app
from tl_core.cli.export import require_free
from tl_core.errors import RunError, SettingError
from tl_core.groups.group import Group
from tl_core.runs import groups
from tl_core.runs.states import State
from tl_core.runs.store import Store


@pytest.mark.parametrize("command", ["cancel", "pause", "resume", "watch", "logs", "queue"])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_run_is_not_the_only_one(home: Path, command: str, blank: str) -> None:
    keep_run(Store(), "20260101-000000-aaaaaa", State.QUEUED)
    done = CliRunner().invoke(app, [command, blank])
    assert (done.exit_code, "The id of the run is blank." in done.output) == (2, True)
    assert Store().run("20260101-000000-aaaaaa").state is State.QUEUED


def test_a_blank_run_has_no_settings_to_take(home: Path) -> None:
    keep_run(Store(), "20260101-000000-aaaaaa", State.DONE)
    done = CliRunner().invoke(app, ["train", "--like", "", "--no-wait"])
    assert (done.exit_code, len(Store().runs())) == (2, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--dataset"),
        ("train", "--strategy"),
        ("train", "--executor"),
        ("examine", "--dataset"),
        ("what-if", "--backbone"),
    ],
)
def test_a_blank_part_is_not_the_default(home: Path, words: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, [*words, "", "--json"])
    assert (done.exit_code, f"There is no {words[1][2:]} of that name" in json.loads(done.output)["error"]) == (2, True)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_group_is_not_the_only_one(home: Path, blank: str) -> None:
    groups.keep(Store(), Group(name="only", axes={"seed": (0, 1)}), [], {}, environment={})
    done = CliRunner().invoke(app, ["sweep", "delete", blank, "--runs", "--yes"])
    assert (done.exit_code, "The name of the group is blank." in done.output) == (2, True)
    assert [each.group.name for each in groups.listed(Store())] == ["only"]


@pytest.mark.parametrize(
    "words",
    [("predict", "RUN", "a.png", "--csv"), ("card", "RUN", "--to"), ("compare", "RUN", "RUN", "--report")],
)
def test_a_blank_path_is_not_the_current_folder(home: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, ""])
    assert (done.exit_code, "The path is blank" in done.output) == (2, True)


def test_a_blank_text_is_none(home: Path) -> None:
    done = CliRunner().invoke(app, ["predict", "RUN", " "])
    assert (done.exit_code, "What is given is blank" in done.output) == (2, True)


def test_a_folder_to_be_filled_is_not_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for to in (Path(), tmp_path):
        with pytest.raises(SettingError, match="The current folder cannot be replaced"):
            require_free(to)
    require_free(tmp_path / "new")


def test_a_blank_backbone_is_none_that_the_doctor_knows(home: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--backbone", "", "--json"])
    assert (done.exit_code, "There is no backbone of that name" in json.loads(done.output)["error"]) == (2, True)


@pytest.mark.parametrize("batches", ["0", "-3", "10001"])
def test_steps_that_cannot_be_timed_are_a_sentence(home: Path, batches: str) -> None:
    done = CliRunner().invoke(app, ["doctor", "--backbone", "small_cnn", "--batches", batches, "--json"])
    assert (done.exit_code, batches in json.loads(done.output)["error"]) == (2, True)


def test_the_end_of_an_id_still_names_it(home: Path) -> None:
    keep_run(Store(), "20260101-000000-aaaaaa", State.DONE)
    assert Store().named("aaaa") == "20260101-000000-aaaaaa"
    with pytest.raises(RunError, match="There is no run"):
        Store().named("b")
