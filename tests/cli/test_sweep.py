"""Groups of runs on the command line: said before they start, queued, followed, changed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.helpers import FEW_CROPS, WAYS, CommandLine
from tests.tools.pages import SMALL, known_profiles, profiles
from tl_core.__main__ import app
from tl_core.groups.group import Group
from tl_core.planning import backbone_profile
from tl_core.runner import service
from tl_core.runs import groups
from tl_core.runs.states import State, before
from tl_core.runs.store import Store

__all__ = ["known_profiles", "profiles"]

QUICKEST = SMALL | {"strategy.epochs": 1}


@pytest.fixture
def line(home: Path, known_profiles: None) -> CommandLine:
    """Networks need not be measured."""
    return CommandLine(home)


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda home: None)


def written(folder: Path, base: dict[str, Any], **axes: list[Any]) -> Path:
    file = folder / "what_if.yaml"
    named = {name.replace("__", "."): values for name, values in axes.items()}
    file.write_text(yaml.safe_dump({"name": "What [if]", "base": base, "axes": named}, sort_keys=False))
    return file


def test_a_dry_run_says_all_and_does_nothing(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, QUICKEST, seed=[0, 1], image_size=[16, 4])
    done = line.call("sweep", file, "--dry-run", "--json")
    assert (done.code, line.call("sweep", "list", "--json").json) == (0, [])
    assert (done.json["new"], done.json["there"], done.json["cost"]["unknown"]) == (2, 0, 0)
    assert done.json["cost"]["seconds"] > 0 < done.json["cost"]["disk_bytes"]
    assert [each["settings"] for each in done.json["dropped"]] == [{"seed": seed, "image_size": 4} for seed in (0, 1)]
    assert done.json["runs"] == [{"settings": {"seed": seed, "image_size": 16}, "run_id": None} for seed in (0, 1)]
    within = line.call("sweep", file, "--dry-run", "--budget", "1s", "--json").json
    assert (within["new"], within["runs"]) == (0, [])
    assert [each["settings"]["seed"] for each in within["not_started"]] == [0, 1]
    plain = line.call("sweep", "--dry-run", file).err
    for text in ("2 runs.", "on this machine, one run after the other", "of disk in all", "2 combinations are dropped: "):
        assert text in plain
    assert Store().runs() == []


def test_a_network_that_cannot_be_measured_is_told(line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone_profile, "request", lambda *network: None)
    monkeypatch.setattr(backbone_profile, "GIVEN_UP_SECONDS", 0)
    told = line.call("sweep", written(tmp_path, QUICKEST, seed=[0, 1]), "--dry-run").err.splitlines()
    network = told[0].removeprefix("Measuring ").partition(" on ")[0]
    assert told[1] == f"{network} could not be measured within 0 s; its runs are not counted."
    assert told[2] == "2 runs."


@pytest.mark.usefixtures("nothing_starts")
def test_a_run_that_fails_is_a_row_with_its_reason(line: CommandLine, tmp_path: Path) -> None:
    file, store = written(tmp_path, QUICKEST, seed=[0, 1]), Store()
    started = line.call("sweep", file, "--no-wait", "--json").json
    failed, done = (row["run_id"] for row in started["runs"])
    reason = "This image cannot be decoded. Received: [1].jpg"
    for run_id, end, error in ((failed, State.FAILED, reason), (done, State.DONE, None)):
        for to in WAYS[end]:
            assert store.change_state(run_id, before(to), to, error=error)
    shown = line.call("sweep", "show", "What [if]", "--json").json
    assert [(row["state"], row["error"]) for row in shown["runs"]] == [(State.FAILED, reason), (State.DONE, None)]
    assert f"{failed}: {reason}" in line.call("sweep", "show", "What [if]").out
    again = line.call("sweep", file, "--no-wait", "--json").json
    assert (again["group_id"], again["new"], again["there"]) == (started["group_id"], 1, 1)
    assert [row["state"] for row in again["runs"]] == [State.QUEUED, State.DONE]


@pytest.mark.usefixtures("nothing_starts")
def test_a_group_is_looked_after(line: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path, QUICKEST | FEW_CROPS, seed=[0, 1])
    started = line.call("sweep", file, "--no-wait", "--json").json
    name = started["group_id"][-6:]
    assert [row["state"] for row in started["runs"]] == [State.QUEUED] * 2
    for command, state in (("pause", State.PAUSED), ("resume", State.QUEUED), ("stop", State.CANCELLED)):
        assert line.call("sweep", command, name).code == 0
        assert {row["state"] for row in line.call("sweep", "show", name, "--json").json["runs"]} == {state}
    assert "1 queued, 0 there already" in line.call("sweep", "extend", name, "seed", "1, 2").err
    (listed,) = line.call("sweep", "list", "--json").json
    assert (listed["name"], listed["axes"], listed["runs"], listed["done"]) == ("What [if]", {"seed": [0, 1, 2]}, 3, 0)
    assert "0 of 3" in line.call("sweep", "list").out
    assert Group.from_yaml(line.call("sweep", "export", name).out) == Group.read(file).extended("seed", [2])
    assert line.call("delete", started["runs"][1]["run_id"], "--yes").code == 0
    assert line.call("sweep", "show", name, "--json").json["deleted"] == [{"seed": 1}]
    assert "1 run of this group was deleted (seed 1)." in line.call("sweep", "show", name).out
    assert line.call("sweep", "delete", name, "--runs", "--yes").code == 0
    assert (line.call("sweep", "list", "--json").json, Store().runs()) == ([], [])


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(("answer", "code", "said"), [("n", 0, "Nothing was done."), ("", 2, "Nobody answered this question.")])
def test_who_says_no_is_not_told_of_a_failure(answer: str, code: int, said: str, line: CommandLine, tmp_path: Path) -> None:
    line.call("sweep", written(tmp_path, QUICKEST, seed=[0, 1]), "--no-wait")
    done = CliRunner().invoke(app, ["sweep", "delete", "What [if]"], input=answer)
    assert (done.exit_code, said in done.stderr, len(groups.listed(Store()))) == (code, True, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["none.yaml"], "The group file cannot be read"),
        (["show", "none"], "There is no such group here"),
        (["extend", "none", "seed", "1"], "There is no such group here"),
    ],
)
def test_mistakes_are_one_sentence(line: CommandLine, given: list[str], said: str) -> None:
    done = line.call("sweep", *given)
    assert done.code == 2
    assert said in " ".join(done.err.split())
