"""The model that a finished run has saved, on examples of whatever data: what its body makes of them, once for all, and what its
head says; and the run's own data, with what makes inputs of them."""

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.data.preprocessor import Preprocessor
from tl_core.datasets import Data
from tl_core.errors import DataError, RunError, TransferError, printable
from tl_core.events import Activity, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs
from tl_core.features.predict import predict
from tl_core.machine import backends
from tl_core.networks.classifier import CENTRE, HEAD, Classifier
from tl_core.notes import Note, NoteKind
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import FrozenPartRecord
from tl_core.runs.evaluations import Testable
from tl_core.training.checkpoints import TrainingState
from tl_core.training.loop import Progress
from tl_core.training.stages import Stages

UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, zipfile.BadZipFile)
"""What Keras raises for a model that it cannot load: one of another version, of somebody's layers, or a damaged one."""


class SavedModel:
    """The model in `file`, computed in `precision`. What lies below its head is kept in `cache`: for examples that a run with the
    same frozen backbone has seen it is there already. `examples` is about how many it will see. Raises `RunError` where it cannot
    be loaded, and whatever `report` raises."""

    def __init__(
        self,
        file: Path,
        preprocessor: Preprocessor,
        precision: Precision,
        examples: int,
        report: Reporter,
        *,
        cache: ActivationCache,
    ) -> None:
        """Load it.

        Args:
            file, precision, examples, cache: As the class says.
            preprocessor: Makes its inputs of examples.
            report: Is told what happens.
        """
        backends.compute_in(precision)
        self._progress = Progress(total=examples)
        self.stages = Stages(TrainingState(self._progress), report)
        with self.stages.stage(Activity.LOADING_MODEL):
            self.model = model = loaded(file)
            named = {layer.name: layer for layer in model.layers}
            features = next((named[name] for name in (CENTRE, HEAD) if name in named), model.layers[-1]).input
            classifier = Classifier(model, features)
            self._head = classifier.above(features)
            waiting = partial(self.stages.say, Activity.WAITING_FOR_FEATURES)
            self._extractor = FeatureExtractor(cache, preprocessor, bfloat16=precision.in_bfloat16, wait=waiting)
            self._body = self._extractor.part(classifier.below(features))

    def features(self, examples: Examples) -> CachedInputs:
        """Return what lies below the head makes of the examples: (n, d) float32."""
        with self.stages.stage(Activity.COMPUTING_FEATURES):
            found = self._extractor.features(self._body, examples, self.stages.meter(Activity.COMPUTING_FEATURES, 1.0))
        self._progress.passed += len(examples)
        return found

    def outputs(self, features: CachedInputs) -> NDArray[np.float32]:
        """Return what the head says of the features: (n, outputs) float32."""
        with self.stages.stage(Activity.TESTING):
            return predict(self._head, features, self.stages.meter(Activity.TESTING, 0.0))

    def take_record(self) -> FrozenPartRecord:
        """Return what had to be computed since this was asked last."""
        return self._extractor.tally.take_record()


def own_data(tested: Testable) -> tuple[Data | None, list[Note]]:
    """Return the data of the run, None where they cannot be had, and a note where they are not what it learned from."""
    spec, result = tested.run.spec, tested.result
    try:
        dataset = Recipe.of(spec).dataset
        if dataset.fetches:
            raise DataError("They are not on this machine.")
        data = dataset.load(spec.seed)
        digests = (data.digest(), result.data_digest) if result.data_digest else (data.test.digest(), result.test_digest)
    except TransferError as error:
        return None, [Note(NoteKind.OWN_DATA_GONE, about=(printable(error.what),))]
    return data, [] if digests[0] == digests[1] else [Note(NoteKind.OWN_DATA_CHANGED)]


def preprocessor_of(tested: Testable, own: Data | None) -> Preprocessor:
    """Return what makes the inputs of the run's network, as it did for the run; `own` are its data, where they are as they were.
    Raises `DataError` for a network that took its words from them where they are not."""
    recipe = Recipe.of(tested.run.spec)
    if not recipe.backbone.adapts:
        return recipe.preprocessor()
    if own is None:
        raise DataError(
            f"{recipe.backbone.title} knows the words of the texts that it learned from, and these are not there as they were.",
            "Put them back where they were, and try again.",
            received=recipe.dataset.location(),
        )
    return recipe.adapted_to(own.train).preprocessor()


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
