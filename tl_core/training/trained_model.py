"""The model that a finished run has saved, on examples of whatever data: what its body makes of them, once for all, and what its
head says."""

import zipfile
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.errors import RunError
from tl_core.events import Activity
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs
from tl_core.features.predict import predict
from tl_core.networks.classifier import CENTRE, HEAD, Classifier
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.training.stages import Stages

UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, zipfile.BadZipFile)
"""What Keras raises for a model that it cannot load: one of another version, of somebody's layers, or a damaged one."""


class TrainedModel:
    """The model in `file`, with the `graph` that computes what it takes, for a network that has one. What lies below its head is
    kept where `extractor` keeps it: for examples that a run with the same frozen backbone has seen it is there already. Raises
    `RunError` where it cannot be loaded."""

    passes_per_image: ClassVar[float] = 0.0
    """How much of the work of which `stages` tell the share that is done an example is."""

    def __init__(self, file: Path, extractor: FeatureExtractor, stages: Stages, graph: OnnxGraph | None) -> None:
        self.stages, self._extractor = stages, extractor
        with self.stages.stage(Activity.LOADING_MODEL):
            self.model = model = loaded(file)
            named = {layer.name: layer for layer in model.layers}
            features = next((named[name] for name in (CENTRE, HEAD) if name in named), model.layers[-1]).input
            classifier = Classifier(model, features)
            self._head = classifier.above(features)
            self._body = self._extractor.part(classifier.below(features), graph)

    def features(self, examples: Examples) -> CachedInputs:
        """Return what lies below the head makes of the examples: (n, d) float32."""
        with self.stages.stage(Activity.COMPUTING_FEATURES):
            meter = self.stages.meter(Activity.COMPUTING_FEATURES, self.passes_per_image)
            return self._extractor.features(self._body, examples, meter)

    def outputs(self, features: CachedInputs) -> NDArray[np.float32]:
        """Return what the head says of the features: (n, outputs) float32."""
        return predict(self._head, features, lambda _: None)


def loaded(file: Path) -> Any:
    """Return the Keras model in `file`. Raises `RunError` where it cannot be loaded."""
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except UNREADABLE as error:
        said = " ".join(str(error).split())[:200]
        raise RunError(
            f"The model of this run cannot be loaded ({said}).",
            "It may be of another version of Keras, or damaged: run it again.",
            received=file,
        ) from None
