"""A run that predicts a number, from the command line to every page: nowhere an accuracy, and its numbers drawn."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import CommandLine
from tests.tasks.crops import crops
from tests.tools.evaluating import evaluated
from tests.tools.immediate import immediate
from tests.tools.pages import SMALL, errors, opened
from tl_core.analysis.what_if import Answer
from tl_core.jobs import background
from tl_core.metrics import metrics
from tl_core.recipe import Recipe
from tl_core.runs import evaluations
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.what_if import WhatIfResult
from tl_core.ui import session, steps, what_ifs

__all__ = ["immediate"]
pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crops(tmp_path_factory.mktemp("crops"), 60)


@pytest.fixture
def address(table: Path) -> dict[str, str]:
    """The draft that predicts the side of a crop."""
    data = {"task": "regression", "dataset": "csv_manifest", "dataset.path": str(table), "dataset.label_column": "side"}
    return SMALL | data | {"strategy.epochs": "1"}


def texts(app: AppTest) -> Iterator[str]:
    for element in (*app.markdown, *app.caption, *app.sidebar.caption, *app.sidebar.markdown):
        yield element.value.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def page(script: str, **given: str) -> tuple[AppTest, str]:
    app = opened(script, **given)
    assert not errors(app)
    return app, "\n".join(texts(app))


@pytest.mark.usefixtures("immediate")
def test_a_number_from_the_command_line_to_the_pages(home: Path, address: dict[str, str]) -> None:
    line = CommandLine(home)
    options = [part for name, value in address.items() for part in ("--set", f"{name}={value}") if name != "task"]
    done = line.call("train", "--task", "regression", *options)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].startswith("Test mean absolute error ")
    assert done.out.splitlines()[1].endswith(" on 15 images, 95% interval")
    assert "Decided by" not in done.out  # it was said
    (told,) = json.loads(line.call("runs", "--json").out)
    assert (told["accuracy"], told["accuracy_interval"]) == (None, None)
    assert list(told["metrics"]) == ["mae", "rmse", "r2", "spearman"]
    assert told["metrics"]["mae"]["low"] < told["metrics"]["mae"]["value"] < told["metrics"]["mae"]["high"]
    assert "Mean absolute error" in line.call("runs").out.replace("\n", " ")

    result, said = page(steps.RESULT.script, run=told["run_id"])
    assert "### Mean absolute error" in said
    assert "Wilson" not in said
    assert "Accuracy" not in said
    assert [tab.label for tab in result.tabs][:3] == ["Predicted", "Errors", "Hardest images"]
    (values,) = (each.value for each in result.table)
    assert list(values.index) == [
        "Mean absolute error",
        "Root mean squared error",
        "R\N{SUPERSCRIPT TWO}",
        "Spearman correlation",
    ]
    _, said = page(steps.TRAIN.script, run=told["run_id"])
    assert "### Test mean absolute error" in said

    seed = line.call("train", "--task", "regression", *options, "--set", "seed=1", "--json")
    other = seed.json["run_id"]
    session.runs.clear()  # the list may be two seconds old
    compared, said = page(steps.COMPARE.script, runs=f"{told['run_id']},{other}")
    assert compared.selectbox(key="compare_by").value == "Mean absolute error"
    (runs,) = (each.value for each in compared.dataframe if "Mean absolute error" in each.value)
    assert runs["Mean absolute error"].notna().all()
    assert "on the same 15 images" in said
    sentence = line.call("compare", told["run_id"], other, "--metric", "mae").out
    assert "paired bootstrap" in sentence
    refused = line.call("compare", told["run_id"], other, "--metric", "accuracy")
    assert (refused.code, "This run has no accuracy (other labels)" in refused.err.replace("\n", " ")) == (2, True)


@pytest.mark.usefixtures("immediate")
def test_a_test_on_other_data_stands_on_result_and_in_json(home: Path, address: dict[str, str]) -> None:
    line = CommandLine(home)
    options = [part for name, value in address.items() for part in ("--set", f"{name}={value}") if name != "task"]
    run = line.call("train", "--task", "regression", *options, "--json").json["run_id"]
    assert evaluated(run, Recipe.of(Store().run(run).spec)).error == ""  # of its own table its own test is left
    (kept,) = evaluations.read(Store().folder(run))
    (told,) = line.call("watch", run, "--json").json["evaluations"]
    assert (told["accuracy"], told["accuracy_interval"], told["own_accuracy"]) == (None, None, None)
    assert told["own_metrics"]["mae"] == line.call("watch", run, "--json").json["metrics"]["mae"]
    assert told["differences"]["mae"]["low"] < told["differences"]["mae"]["value"] == pytest.approx(0.0, abs=0.1)

    session.runs.clear()
    result, said = page(steps.RESULT.script, run=run)
    assert kept.told(metrics.part("mae")(), "images") in said
    assert "Those of differences are by a bootstrap" in said
    values, _ = (each.value for each in result.table)
    assert list(values.columns) == ["Here", "Above its own test by", "Better"]
    assert values["Above its own test by"].str.contains(r"\sto\s").all()
    assert result.selectbox(key="other_source").value == "csv_manifest"
    assert result.text_input(key="csv_manifest_dataset_label_column").value == "side"


def test_the_dataset_page_shows_the_spread_of_the_numbers(address: dict[str, str]) -> None:
    app, said = page(steps.DATASET.script, **address)
    assert "the number side" in said
    assert app.selectbox(key="task_name").value == "regression"
    assert {"ask_data_check", "ask_image_map"} <= {button.key for button in app.button}


def test_another_source_says_that_it_has_classes(address: dict[str, str]) -> None:
    drawn = {name: value for name, value in address.items() if not name.startswith("dataset.")}
    app = opened(steps.DATASET.script, **(drawn | {"dataset": "digits"}))
    assert any("are classes, and the task asks for a number" in text for text in errors(app))


def test_the_strategy_page_draws_one_output(address: dict[str, str]) -> None:
    _, said = page(steps.STRATEGY.script, **address)
    assert "features to the number side" in said


def test_what_ifs_are_asked_of_so_many_examples(table: Path, home: Path) -> None:
    address = {"task": "regression", "dataset": "csv_manifest", "dataset.path": str(table), "dataset.label_column": "side"}
    recipe = Recipe.of(RunSpec().with_settings(address | {"image_size": "96"}))
    study = what_ifs.study_of(recipe)
    assert study.labels == "10,20,all"
    file = study.file(home, recipe)
    file.parent.mkdir(parents=True)
    found = recipe.deciding_metric.measure(np.arange(12.0), np.ones(12))
    background.write(file, WhatIfResult(question=study.question, answers=(Answer(10, None, 0, 10, found),), finished=True))
    app, said = page(steps.STRATEGY.script, **address, image_size="96")
    assert app.button(key="ask_what_if").label == "Ask again"
    assert "1 answers in 0.0 s" in said
