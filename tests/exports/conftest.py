"""One small finished run, which all tests of exports share."""

from pathlib import Path

import pytest

from tests.helpers import SMALL_CNN, keep_outcome, write_images
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.training.train import train


@pytest.fixture(scope="session")
def trained(surroundings: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, Path]:
    """What a run on a folder of images was told, and the folder of what it left."""
    images = write_images(tmp_path_factory.mktemp("own") / "images", classes=3, each=24)
    spec = Recipe.of(RunSpec().with_settings({**SMALL_CNN, "dataset": "image_folder", "dataset.path": str(images)})).spec()
    left = tmp_path_factory.mktemp("run")
    artifacts.write_outcome(left, train(spec, lambda event: None))
    return spec, left


@pytest.fixture
def run(trained: tuple[RunSpec, Path], home: Path) -> str:
    """The id of the run, in a store of the test's own."""
    keep_outcome(Store(), "a", *trained)
    return "a"
