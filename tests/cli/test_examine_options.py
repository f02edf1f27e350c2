"""What `examine` was asked for is done whole, and what it says is in its JSON, too."""

import json
from pathlib import Path

import pytest

from tests.checks.test_leaving_out import examined, folder, told  # noqa: F401  # a fixture

ALL = "What you chose of this is left out. Below is what was found in all images."


def listed(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("Left out")).split("left_out=")[1]


def test_kinds_may_be_named_one_by_one(folder: Path) -> None:  # noqa: F811
    both = listed(told(folder, "--leave-out", "broken,copies"))
    assert listed(told(folder, "--leave-out", "broken", "--leave-out", "copies")) == both
    assert listed(told(folder, "--leave-out", "copies")) != both


def test_a_wrong_kind_among_several_is_told(folder: Path) -> None:  # noqa: F811
    done = examined(folder, "--leave-out", "broken", "--leave-out", "nonsense")
    assert (done.exit_code, "Received: broken,nonsense" in done.stderr) == (2, True)


def test_notes_are_in_the_json(folder: Path) -> None:  # noqa: F811
    (folder / "empty").mkdir()
    assert json.loads(told(folder, "--json"))["notes"] == ["Class folders without an image: 1 left out (empty)."]
    assert "Class folders without an image: 1 left out (empty)." in told(folder).splitlines()


@pytest.mark.parametrize("as_json", [False, True])
def test_that_a_list_changes_nothing_here_is_said(folder: Path, as_json: bool) -> None:  # noqa: F811
    setting = "dataset.left_out=" + listed(told(folder, "--leave-out", "broken"))
    output = told(folder, "--set", setting, *["--json"] * as_json)
    assert ALL in (json.loads(output)["notes"] if as_json else output.splitlines())
    assert ALL not in told(folder)


def test_a_list_that_is_not_here_is_told(folder: Path) -> None:  # noqa: F811
    done = examined(folder, "--set", "dataset.left_out=0123456789abcdef")
    assert (done.exit_code, "The list of what to leave out is not here" in done.stderr) == (2, True)
