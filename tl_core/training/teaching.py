"""What a finished run says of the examples that another one learns from."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.backbones.finished_run import FinishedRun
from tl_core.datasets import Data
from tl_core.errors import DataError, RunError
from tl_core.features.extractor import FeatureExtractor
from tl_core.networks.model_file import shortened
from tl_core.notes import listed
from tl_core.phases.teacher import Teacher
from tl_core.recipe import Recipe
from tl_core.result import Result
from tl_core.spec import RunSpec
from tl_core.system.settings import RESULT, SPEC
from tl_core.training.stages import Stages
from tl_core.training.trained_model import TrainedModel


def said_by(teacher: Teacher, data: Data, extractor: FeatureExtractor, stages: Stages) -> NDArray[np.float32]:
    """Return the probabilities (n, classes) that `teacher` gives each training example, unchanged, softened by its temperature.

    Its network computes an example once: what is below its head is kept where `extractor` keeps it, for all runs. Raises a
    `TransferError` where the run is not to be had, or cannot teach these data.
    """
    from scipy.special import softmax

    file = FinishedRun(run=teacher.run).required_file().path
    recipe, result = _told(teacher, file.parent / SPEC, file.parent / RESULT)
    if result.class_names != data.class_names:
        raise DataError(
            f"The teacher tells other classes apart than those of these data, {listed(data.class_names)}.",
            "Let a run teach that has learned the same classes.",
            received=f"run {teacher.run}, which knows {listed(result.class_names)}",
        )
    its, ours = (result.data_digest, data.digest()) if recipe.backbone.adapts else (result.test_digest, data.test.digest())
    if its != ours:
        raise DataError(
            "The teacher was tested on other examples than these, so it may have learned from some that test its student.",
            "Let a run teach that has the same dataset, with the same test examples.",
            received=f"run {teacher.run}, of {recipe.dataset.shown_name}",
        )
    graph = recipe.backbone.graph(recipe.input_size)
    model = TrainedModel(file, extractor.by(recipe.adapted_to(data.train).preprocessor()), stages, graph)
    said = model.outputs(model.features(data.train))
    logits = np.log(np.maximum(said, np.finfo(np.float32).tiny), dtype=np.float64)
    return np.asarray(softmax(logits / teacher.temperature, axis=1), np.float32)


def _told(teacher: Teacher, spec: Path, result: Path) -> tuple[Recipe, Result]:
    """Return what the run was, and what came of it. Raises `TransferError`."""
    try:
        return Recipe.of(RunSpec.read(spec)), Result.model_validate_json(result.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(
            f"The result of the teacher cannot be read ({shortened(error)}).",
            "Choose another run.",
            received=f"run {teacher.run}",
        ) from None
