"""What a finished run says of the examples that another one learns from."""

import numpy as np
from numpy.typing import NDArray

from tl_core.backbones.finished_run import FinishedRun
from tl_core.datasets import Data
from tl_core.features.extractor import FeatureExtractor
from tl_core.phases.teacher import Teacher
from tl_core.training import teachers
from tl_core.training.stages import Stages
from tl_core.training.trained_model import TrainedModel


def said_by(teacher: Teacher, data: Data, extractor: FeatureExtractor, stages: Stages) -> NDArray[np.float32]:
    """Return the probabilities (n, classes) that `teacher` gives each training example, unchanged, softened by its temperature.

    Its network computes an example once: what is below its head is kept where `extractor` keeps it, for all runs. Raises a
    `TransferError` where the run is not to be had, or cannot teach these data.
    """
    from scipy.special import softmax

    recipe = teachers.of_data(teacher.run, data)
    file = FinishedRun(run=teacher.run).required_file().path
    graph = recipe.backbone.graph(recipe.input_size)
    model = TrainedModel(file, extractor.by(recipe.adapted_to(data.train).preprocessor()), stages, graph)
    said = model.outputs(model.features(data.train))
    logits = np.log(np.maximum(said, np.finfo(np.float32).tiny), dtype=np.float64)
    return np.asarray(softmax(logits / teacher.temperature, axis=1), np.float32)
