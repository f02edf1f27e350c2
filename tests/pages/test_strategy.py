"""The Strategy page: a learning rate that is found and taken, and an precision that is measured."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import end_processes_of, wait_until
from tests.tools import measured_curves as measured
from tests.tools.pages import errors, opened
from tl_core.analysis.rates import RateCurve
from tl_core.jobs import background
from tl_core.planning import backbone_profile, precision_speeds
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.lr_finder import LrFinder, LrFinderResult
from tl_core.studies.precision_benchmark import PrecisionBenchmark, PrecisionBenchmarkResult
from tl_core.system import locks
from tl_core.ui import steps

SMALL = {"backbone": "small_cnn", "backbone.width": "4", "strategy": "from_scratch", "image_size": "16"}


@pytest.fixture
def recipe(home: Path) -> Recipe:
    """A draft whose backbone has been measured."""
    recipe = Recipe.of(RunSpec().with_settings(SMALL))
    backbone_profile.request(home, recipe.backbone, 16)
    wait_until(lambda: BackboneProfile.read(home, recipe.backbone, 16))
    return recipe


@pytest.mark.usefixtures("recipe")
def test_an_estimate_says_what_it_waits_for() -> None:
    data = {"dataset": "image_folder"}  # of which no folder is chosen yet
    said = [caption.value for caption in opened(steps.DATASET.script, **SMALL | data).caption]
    assert "An estimate appears here when the dataset can be read." in said


def strategy_page() -> AppTest:
    app = opened(steps.STRATEGY.script, **SMALL)
    assert not errors(app)
    return app


@pytest.mark.process
def test_a_learning_rate_is_found_and_taken(home: Path, recipe: Recipe) -> None:
    app = strategy_page()
    app.button(key="ask_lr_finder").click().run()
    assert not errors(app)
    assert not [button for button in app.button if button.key in {"ask_lr_finder", "use_rate"}]  # it is at work
    wait_until(lambda: (found := LrFinder().read(home, recipe)) and found.finished)
    app = strategy_page()
    suggested = LrFinder().read(home, recipe)
    assert suggested
    assert suggested.curve.suggestion
    app.button(key="use_rate").click().run()
    assert app.query_params["strategy.learning_rate"] == str(suggested.curve.suggestion)
    assert app.number_input(key="from_scratch_strategy_learning_rate").value == suggested.curve.suggestion
    assert app.button(key="use_rate").disabled


def test_a_search_that_failed_says_why(home: Path, recipe: Recipe) -> None:
    file = LrFinder().file(home, recipe)
    file.parent.mkdir(parents=True)
    background.write(file, LrFinderResult(planned=40, finished=True, error="The disk is full."))
    app = opened(steps.STRATEGY.script, **SMALL)
    assert errors(app) == ["The disk is full."]
    assert app.button(key="ask_lr_finder").label == "Search again"


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        (measured.PROBE_FIRST, "lowest between 0.0002 and 0.003"),
        (RateCurve(tuple(measured.FITTED.rates), tuple(0.5 + loss for loss in measured.FITTED.losses)), "beyond 0.4 it rose"),
        (measured.FITTED, "zero from the start"),
        (RateCurve(measured.FITTED.rates[-20:], measured.SIGN_DIGITS.losses[-20:]), "rose from the lowest rates on"),
        (RateCurve(measured.FITTED.rates, (2.3,) * len(measured.FITTED.rates)), "No rate changed the loss"),
        (RateCurve((1e-6, 1e-3), (2.3, 9.0)), "before enough rates had been tried"),
    ],
    ids=["falls", "breaks", "nothing", "rises", "stays", "short"],
)
def test_it_says_why_it_suggests_a_rate_or_none(home: Path, recipe: Recipe, curve: RateCurve, said: str) -> None:
    file = LrFinder().file(home, recipe)
    file.parent.mkdir(parents=True)
    background.write(file, LrFinderResult(planned=100, phase="everything", curve=curve, finished=True))
    app = strategy_page()
    assert any(said in caption.value for caption in app.caption)
    buttons = [button.label for button in app.button if button.key == "use_rate"]
    assert buttons == ([] if curve.suggestion is None else [f"Use {curve.suggestion:g}"])


def test_no_rate_no_search(home: Path, recipe: Recipe) -> None:
    assert "Learning rate" in [element.value for element in strategy_page().subheader]
    backbone_profile.request(home, Recipe.of(RunSpec()).backbone, 96)
    wait_until(lambda: BackboneProfile.read(home, Recipe.of(RunSpec()).backbone, 96))
    assert "Learning rate" not in [element.value for element in opened(steps.STRATEGY.script).subheader]


def test_an_precision_that_is_being_measured_is_not_asked_for_again(home: Path, recipe: Recipe) -> None:
    file = PrecisionBenchmark().file(home, recipe)
    file.parent.mkdir(parents=True)
    background.write(file.with_suffix(".growing"), PrecisionBenchmarkResult(stage="Measuring"))
    held = locks.hold(background._lock(file))  # as the process that measures holds it
    assert held is not None
    app = strategy_page()
    assert not [button for button in app.button if button.key == "ask_precision_benchmark"]
    os.close(held)


@pytest.mark.full
@pytest.mark.process
def test_the_precision_is_measured_and_said(home: Path, recipe: Recipe) -> None:
    app = strategy_page()
    app.button(key="ask_precision_benchmark").click().run()
    wait_until(lambda: not PrecisionBenchmark().is_at_work(home, recipe))
    known = precision_speeds.read(home, recipe.backbone, 16)
    assert known
    assert Precision.FLOAT32 in known.speeds
    app = strategy_page()
    assert any("for this run, auto takes" in caption.value for caption in app.caption)
    app.selectbox(key="run_precision").set_value("mixed bfloat16").run()
    assert app.query_params["precision"] == "mixed bfloat16"
    end_processes_of(home)
