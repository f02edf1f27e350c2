"""A run that is trained again comes to the same number, or is told apart by what differs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import QUICK, CommandLine, keep_outcome
from tests.tools.immediate import immediate
from tests.tools.toy import FEW, SIZE, known, temporary_cache
from tl_core.metrics import Better, MetricValue
from tl_core.metrics.accuracy import Accuracy
from tl_core.metrics.mae import MeanAbsoluteError
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.repetition import Agreement, Fact, Repetition, agreement, repetition
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.testing._toy import finish_example
from tl_core.training.train import train

__all__ = ["immediate"]


SHORT = {"epochs": 1, "stages": 2, "trials": 1}
"""Settings of strategies that have them."""


def of(value: float) -> MetricValue:
    return MetricValue(name="accuracy", value=value, low=0.8, high=0.9, n=200, better=Better.HIGHER)


SAME = Repetition(
    first_id="a",
    metric=Accuracy(),
    first=of(0.85),
    second=of(0.85),
    facts=(Fact("data", "d" * 64, "d" * 64), Fact("numpy", "2.0", "2.4"), Fact("threads", None, "2")),
    same_weights=True,
    agreement=Agreement(200, True, 0.0, 200),
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Same number again: accuracy 85 % (80\N{EN DASH}90), as in run a. All 200 predictions are the same, bit for bit. "),
        ({}, " bit for bit. So are the trained weights. "),
        ({"second": of(0.855)}, "Another number: accuracy 86 % (80\N{EN DASH}90), 0.5 points higher than in run a. "),
        ({"metric": MeanAbsoluteError(), "second": of(0.6)}, ", 0.25 lower than in run a. "),
        ({"agreement": Agreement(200, False, 3e-7, 199)}, " up to 3.0e-07, and 199 of 200 have the same class. "),
        ({"agreement": Agreement(200, False, 2.5, None)}, " Predictions differ by up to 2.5e+00. What"),
        ({"agreement": None}, " What was predicted cannot be compared: "),
        ({"same_weights": False}, " bit for bit. The trained weights are others. "),
        ({"same_weights": None}, " bit for bit. What differs: numpy is 2.4 and was 2.0. "),
        ({}, " The same in both: data. Not stored with both: threads."),
        ({"facts": (Fact("data", "d" * 64, "e" * 64),)}, f" What differs: data is {'e' * 12} and was {'d' * 12}."),
    ],
)  # fmt: skip
def test_what_is_said(change: dict[str, Any], said: str) -> None:
    assert said in " ".join(replace(SAME, **change).told())


def test_predictions_agree_as_far_as_they_do() -> None:
    was = np.array([[0.75, 0.25], [0.25, 0.75]], np.float32)
    assert agreement(was, was.copy(), of_classes=True) == Agreement(2, True, 0.0, 2)
    assert agreement(was, was[:, ::-1], of_classes=True) == Agreement(2, False, 0.5, 0)
    assert agreement(was[:, 0], was[:, 1], of_classes=False) == Agreement(2, False, 0.5, None)


@pytest.fixture
def line(home: Path) -> CommandLine:
    return CommandLine(home)


@pytest.mark.usefixtures("immediate")
def test_the_command_trains_again_and_says_so(line: CommandLine) -> None:
    options = [f"--set={name}={value}" for name, value in QUICK.dotted().items() if value is not None]
    first = line.call("train", *options, "--json").json["run_id"]
    done = line.call("rerun", first, "--json")
    assert (done.code, done.json["repeats"]) == (0, first), done.err
    assert done.json["same_number"]
    assert done.json["predictions"] == {"examples": 32, "identical": True, "largest_difference": 0.0, "same_class": 32}
    assert done.json["same_weights"]
    assert (done.json["differs"], done.json["not_stored"]) == ({}, [])
    known = {"data", "seed", "precision", "deterministic operations", "device", "python", "keras", "numpy", "threads"}
    assert known <= done.json["same"].keys()
    store = Store(line.home)
    second = store.run(done.json["run_id"])
    assert (second.repeats, second.spec) == (first, store.run(first).spec)
    older = artifacts.read_result(store.folder(first)).model_dump(mode="json") | {"weights_digest": "", "versions": {}}
    (store.folder(first) / artifacts.RESULT).write_text(artifacts.Result.model_validate(older).model_dump_json())
    found = repetition(store, second)
    assert found
    assert found.same_weights is None
    assert {"numpy", "threads"} <= {fact.name for fact in found.facts if not fact.is_known}
    store.delete(first, lambda run: None)
    assert repetition(store, second) is None


def test_only_what_has_ended_well_is_repeated(line: CommandLine) -> None:
    done = line.call("rerun", "nobody")
    assert (done.code, done.out) == (2, "")
    Store().create("a", QUICK)
    assert "Only a finished run has a model that can be asked, and this one is queued." in line.call("rerun", "a").err


@pytest.mark.full
@pytest.mark.parametrize("name", strategies.parts())
def test_every_strategy_comes_to_the_same_number(name: str, home: Path, tmp_path: Path) -> None:
    strategy, store = strategies.part(name).example(), Store()
    fields = type(strategy).model_fields
    strategy = strategy.model_copy(update={name: few for name, few in SHORT.items() if name in fields})
    with known() as backbone:
        settings = FEW | {"backbone": backbone if strategy.pretrained else "small_cnn", "image_size": SIZE}
        spec = Recipe.of(RunSpec().with_settings(settings).model_copy(update={"strategy": strategy.spec()})).spec()
        finish_example(spec.dataset)  # which teaches, where a strategy wants that
        for run_id, repeats in (("a", None), ("b", "a")):
            (tmp_path / run_id).mkdir()
            artifacts.write_outcome(tmp_path / run_id, train(spec, lambda event: None, cache=temporary_cache()))
            keep_outcome(store, run_id, spec, tmp_path / run_id, repeats=repeats)
        found = repetition(store, store.run("b"))
    assert found
    assert (found.same_number, found.same_weights) == (True, True)
    assert found.agreement
    assert found.agreement.identical
