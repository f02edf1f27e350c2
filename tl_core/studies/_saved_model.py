"""The model that a finished run has saved, on examples of whatever data: what its body makes of them, once for all, and what its
head says; and the run's own data, with what makes inputs of them."""

from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.data.preprocessor import Preprocessor
from tl_core.datasets import Data
from tl_core.errors import DataError, TransferError, printable
from tl_core.events import Activity, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs
from tl_core.features.predict import predict
from tl_core.machine import backends
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.notes import Note, NoteKind
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import FrozenPartRecord
from tl_core.runs.evaluations import Testable
from tl_core.training.checkpoints import TrainingState
from tl_core.training.loop import Progress
from tl_core.training.stages import Stages
from tl_core.training.trained_model import TrainedModel


class SavedModel(TrainedModel):
    """The model in `file`, computed in `precision`, with what is below its head kept in `cache`. `examples` is about how many it
    will see. Raises `RunError` where it cannot be loaded, and whatever `report` raises."""

    passes_per_image: ClassVar[float] = 1.0

    def __init__(
        self,
        file: Path,
        preprocessor: Preprocessor,
        precision: Precision,
        examples: int,
        report: Reporter,
        *,
        cache: ActivationCache,
        graph: OnnxGraph | None,
    ) -> None:
        """Load it.

        Args:
            file, precision, examples, cache: As the class says.
            preprocessor: Makes its inputs of examples.
            graph: Computes what the model takes, for a network that has one.
            report: Is told what happens.
        """
        backends.compute_in(precision)
        self._progress = Progress(total=examples)
        stages = Stages(TrainingState(self._progress), report)
        waiting = partial(stages.say, Activity.WAITING_FOR_FEATURES)
        extractor = FeatureExtractor(cache, preprocessor, bfloat16=precision.in_bfloat16, wait=waiting)
        super().__init__(file, extractor, stages, graph)

    def features(self, examples: Examples) -> CachedInputs:
        found = super().features(examples)
        self._progress.passed += len(examples)
        return found

    def outputs(self, features: CachedInputs) -> NDArray[np.float32]:
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
