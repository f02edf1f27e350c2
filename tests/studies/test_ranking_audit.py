"""Which runs are held against a ranking: those on its very data, of networks that it has ranked."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import CommandLine
from tests.tools.ranked import RANKED, TESTED, keep_ranking, keep_trained
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.store import Run, Store
from tl_core.spec import RunSpec
from tl_core.studies import _ranking_audit
from tl_core.studies._ranking_audit import audits

LITE1 = {"backbone": "efficientnet_lite1"}
pytestmark = pytest.mark.usefixtures("home")


def digest_of(run: Run) -> str:
    return artifacts.read_result(Store().folder(run.id)).data_digest


def test_runs_of_each_strategy_are_held_against_the_ranking() -> None:
    keep_trained("a", 150)
    keep_trained("b", 160, seed=1)
    keep_trained("c", 170, **LITE1)
    keep_trained("d", 120, strategy="fine_tuning", strategy__epochs=3)
    probes, tuned = audits(RANKED, Store().runs(), digest_of)
    assert (probes.name, tuned.name) == ("linear_probe", "fine_tuning")
    assert tuned.title == "Fine-tuning (epochs 3)"
    found = {each.candidate.title: (each.accuracy, set(each.run_ids)) for each in probes.networks}
    assert found == {"EfficientNet-Lite0": (155 / TESTED, {"a", "b"}), "EfficientNet-Lite1": (170 / TESTED, {"c"})}


def test_runs_are_not_taken_for_the_floor() -> None:
    keep_trained("a", 150)
    floor = replace(RANKED.candidates[0], title="random weights", random=True)
    ((held,),) = (
        each.networks for each in audits(replace(RANKED, candidates=(*RANKED.candidates, floor)), Store().runs(), digest_of)
    )
    assert held.candidate == RANKED.candidates[0]


@pytest.mark.parametrize(
    "how",
    [
        {"data": "others"},
        {"test": "others"},
        {"image_size": 64},
        {"backbone": "mobilenet_v2"},
        {"strategy": "from_scratch"},
    ],
)
def test_what_it_says_nothing_of_is_left_out(how: dict[str, object]) -> None:
    keep_trained("a", 150, **how)  # type: ignore[arg-type]  # digests, and settings
    assert audits(RANKED, Store().runs(), digest_of) == []


def test_a_run_whose_result_is_lost_is_left_out() -> None:
    keep_trained("a", 150)
    (Store().folder("a") / artifacts.RESULT).unlink()
    assert audits(RANKED, Store().runs(), digest_of) == []


def test_a_ranking_that_does_not_know_its_data_is_held_against_nothing() -> None:
    keep_trained("a", 150, data="", test="")
    assert audits(replace(RANKED, data_digest="", test_digest=""), Store().runs(), digest_of) == []


def test_the_newest_ranking_of_the_same_data_counts(home: Path) -> None:
    keep_ranking(home, Recipe.of(RunSpec(seed=1)), replace(RANKED, examples=1))
    for file in (home / "rankings").iterdir():
        os.utime(file, (1, 1))
    keep_ranking(home, Recipe.of(RunSpec()))
    keep_ranking(home, Recipe.of(RunSpec(seed=2)), replace(RANKED, data_digest=""))
    assert [found.examples for found in _ranking_audit.rankings(home)] == [RANKED.examples]


def test_the_command_tells_each_score_and_the_prior(home: Path) -> None:
    line = CommandLine(home)
    assert "train two" in line.call("audit").out
    keep_ranking(home, Recipe.of(RunSpec()))
    keep_trained("a", 160)
    keep_trained("b", 150, **LITE1)
    rows = line.call("audit", "--json").json
    assert [row["by"] for row in rows] == ["linear_probe", "nearest_neighbours", "logme", "published"]
    assert rows[0] == {
        "data": "Photo patches",
        "strategy": "Linear probe",
        "by": "linear_probe",
        "networks": 2,
        "tau": -1.0,
        "regret": pytest.approx(5.0),
    }
    assert "Photo patches" in line.call("audit").out
