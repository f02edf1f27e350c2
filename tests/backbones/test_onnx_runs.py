"""A finished run on a network in an ONNX file: what stands on its features works, and what needs its layers says so."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.backbones.test_onnx_file import SIDE, brought
from tests.helpers import keep_outcome, write_images
from tests.tools.answering import answered
from tests.tools.evaluating import evaluation
from tests.tools.toy import known
from tl_core.backbones._scaling import Scaling
from tl_core.backbones.finished_run import FinishedRun
from tl_core.errors import SettingError
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, tracked
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.export_check import ExportCheck
from tl_core.studies.image_map import ImageMapStudy
from tl_core.studies.keras_script import KerasScript
from tl_core.trackers import trackers
from tl_core.training.train import train

CLASSES, EACH = 3, 12


@pytest.fixture
def recipe(home: Path, tmp_path: Path) -> Recipe:
    """What a finished run "a" was told: class means on the features of a network "mine", of three kinds of images."""
    brought(home, pixels=Scaling.SHARES)
    settings = {"dataset": "image_folder", "dataset.path": str(write_images(tmp_path / "images", CLASSES, EACH))}
    network = {"backbone": "onnx_file", "backbone.network": "mine", "image_size": SIDE, "strategy": "nearest_class_mean"}
    made, left = Recipe.of(RunSpec().with_settings(settings | network)), tmp_path / "left"
    left.mkdir()
    artifacts.write_spec(left, made.spec())
    artifacts.write_outcome(left, train(made.spec(), lambda _: None))
    keep_outcome(Store(), "a", made.spec(), left)
    return made


def test_what_needs_its_layers_is_refused(recipe: Recipe) -> None:
    asked: dict[str, Callable[[], object]] = {
        "An export": lambda: ExportCheck(run_id="a", format="keras").require_possible(recipe),
        "A script of Keras alone": lambda: KerasScript(run_id="a").require_possible(recipe),
        "A registered model": lambda: tracked.register_model(
            Store(), trackers.part("mlflow").example(), Store().run("a"), "mine"
        ),
        "To start from a run": lambda: FinishedRun(run="a").require_weights(),
    }
    for what, ask in asked.items():
        with pytest.raises(SettingError, match=f"^{what} needs the layers of the network, and mine gives its features only."):
            ask()


def test_class_means_tell_its_images_apart_on_other_data_too(recipe: Recipe) -> None:
    result = artifacts.read_result(Store().folder("a"))
    assert result.metrics[0].value > 0.5
    found = evaluation("a", recipe)
    assert (found.correct, found.images) == (round(result.metrics[0].value * result.test_images), result.test_images)


@pytest.mark.full
def test_its_map_has_each_image(recipe: Recipe) -> None:
    found = answered(ImageMapStudy(), Store().home, recipe)
    assert found.error == ""
    assert found.map
    assert len(found.map.x) == CLASSES * EACH


@pytest.mark.full
def test_it_teaches_a_network_of_keras(recipe: Recipe) -> None:
    with known() as student:
        spec = recipe.spec().with_settings(
            {"backbone": student, "image_size": SIDE, "strategy": "distillation", "strategy.teacher": "a", "strategy.epochs": 1}
        )
        taught = train(spec, lambda _: None)
    assert taught.result.phases[-1].remarks
    assert np.isfinite(taught.predictions.probabilities).all()
