"""Runs are listed and compared by any metric on the command line."""

from pathlib import Path

import pytest

from tests.helpers import QUICK, CommandLine
from tests.pages.test_compare_by import RARE_FOUND, RARE_MISSED, STORED_BEFORE, put
from tl_core.spec import RunSpec

TRANSFER = QUICK.with_settings({"backbone": "efficientnet_lite0", "strategy": "linear_probe"})


@pytest.fixture
def line(home: Path) -> CommandLine:
    put(RARE_FOUND, finds_the_rare=True)
    put(RARE_MISSED, finds_the_rare=False)
    put(STORED_BEFORE, finds_the_rare=True, is_measured=False)
    return CommandLine(home)


def test_the_best_by_a_metric_is_listed_first(line: CommandLine) -> None:
    rows = line.call("runs", "--metric", "balanced_accuracy", "--json").json
    assert [row["run_id"] for row in rows] == [STORED_BEFORE, RARE_FOUND, RARE_MISSED]
    assert rows[0]["metrics"]["balanced_accuracy"] == rows[1]["metrics"]["balanced_accuracy"]
    table = line.call("runs", "--metric", "recall_at_precision", "--set", "metric.precision=0.4").out
    assert "Test recall at a precision (precision 0.4)" in " ".join(table.split())
    rows = line.call("runs", "--metric", "recall_at_precision", "--set", "metric.class_id=4", "--json").json
    assert "recall_at_precision(class_id=4)" in rows[0]["metrics"]


def test_two_runs_are_told_apart_by_a_paired_test(line: CommandLine) -> None:
    plain = line.call("compare", RARE_FOUND, RARE_MISSED).out
    assert "exact McNemar" in plain
    (pair,) = line.call("compare", RARE_FOUND, RARE_MISSED, "--metric", "balanced_accuracy", "--json").json["pairs"]
    low, high = pair["interval"]
    assert low <= pair["lead"] <= high
    assert pair["told_apart"] == (low > 0)
    assert "in balanced accuracy on the same 250 images" in pair["verdict"]
    assert (pair["run_ids"], pair["sides"]) == ([RARE_FOUND, RARE_MISSED], [[RARE_FOUND], [RARE_MISSED]])


def test_what_else_two_runs_differ_in_is_named(line: CommandLine) -> None:
    texts = RunSpec().with_settings({"dataset": "docstrings", "backbone": "bag_of_words"})
    put("20260101-000003-ffffff", finds_the_rare=True, spec=texts)
    assert "They differ in data and labels a class." in line.call("compare", RARE_FOUND, "ffffff").out


def test_what_runs_cost_is_told_as_far_as_it_is_known(line: CommandLine) -> None:
    (cost, _) = line.call("compare", RARE_FOUND, RARE_MISSED, "--json").json["costs"]
    known = {"run_id": RARE_FOUND, "seconds": 0.0, "parameters": 1, "labels": QUICK.dataset.settings["labels_per_class"]}
    assert cost == known | dict.fromkeys(["cpu_seconds", "flops", "gpu_energy_joules"])


def test_a_transfer_is_told_beside_its_twin(line: CommandLine) -> None:
    put("20260101-000003-dddddd", finds_the_rare=True, spec=TRANSFER)
    told = line.call("compare", "dddddd", RARE_MISSED, "--json").json
    (beside,) = told["transfers"]
    assert (beside["transfer"], beside["scratch"]) == (["20260101-000003-dddddd"], [RARE_MISSED])
    assert beside["effect"] == ("harms" if beside["told_apart"] else "no evidence")
    assert (beside["p_value"], beside["learning"]) == (told["pairs"][0]["p_value"], None)
    _, plain = line.call("compare", "dddddd", RARE_MISSED).out.splitlines()
    assert f"Transfer pays: {'Harms' if beside['told_apart'] else 'No evidence'}. Test accuracy: " in plain


def test_a_metric_by_labels_is_told(line: CommandLine) -> None:
    ids = [f"20260101-00000{labels}-eeeee{labels}" for labels in (5, 9)]
    for labels, run_id in zip((5, 9), ids, strict=True):
        put(run_id, finds_the_rare=True, spec=TRANSFER.with_settings({"dataset.labels_per_class": labels}))
    assert "(29 instead of 9 a class) would bring is not foretold" in line.call("compare", *ids).out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["compare", RARE_FOUND], "A comparison needs two runs or more"),
        (["compare", RARE_FOUND, RARE_MISSED, "--metric", "top_5"], "has no top-5 accuracy (other classes)"),
        (["runs", "--metric", "f1"], "There is no metric of that name"),
        (["runs", "--set", "metric.k=3"], "A setting of the metric needs its name"),
        (["runs", "--metric", "top_5", "--set", "seed=3"], "Only settings of the metric can be set here"),
    ],
)
def test_mistakes_are_one_sentence(line: CommandLine, given: list[str], said: str) -> None:
    done = line.call(*given)
    assert done.code == 2
    assert said in " ".join(done.err.split())
