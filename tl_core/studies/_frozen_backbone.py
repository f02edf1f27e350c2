"""One pass of the frozen network of a recipe over images: for what asks its features and trains no network."""

from functools import partial

import keras

from tl_core.data.examples import Examples
from tl_core.events import Activity, Reporter
from tl_core.features.cache import ActivationCache
from tl_core.features.extractor import FeatureExtractor
from tl_core.features.inputs import CachedInputs
from tl_core.machine import backends
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.training.checkpoints import TrainingState
from tl_core.training.loop import Progress
from tl_core.training.stages import Stages


class FrozenBackbone:
    """The network of a recipe, `pretrained` or with random weights, always the same ones, and what feeds it; in float32 where the
    precision is left open.

    Features are taken from `cache`, and kept there. Raises a `TransferError` for what the user can mend, and whatever `report`
    raises.
    """

    def __init__(self, recipe: Recipe, report: Reporter, cache: ActivationCache, *, pretrained: bool = True) -> None:
        precision = Precision.FLOAT32 if recipe.precision is Precision.AUTO else recipe.precision
        backends.compute_in(precision)
        self.stages = Stages(TrainingState(Progress(total=0)), report)
        with self.stages.stage(Activity.LOADING_BACKBONE):
            keras.utils.set_random_seed(0)
            self.network = recipe.backbone.load(recipe.input_size, pretrained=pretrained)
        waiting = partial(self.stages.say, Activity.WAITING_FOR_FEATURES)
        self._extractor = FeatureExtractor(cache, recipe.preprocessor(), bfloat16=precision.in_bfloat16, wait=waiting)
        self._part = self._extractor.part(self.network.model, self.network.graph)

    @property
    def computed(self) -> int:
        """Return how many images went through it by now; others had done so before."""
        return sum(self._extractor.tally.computed.values())

    def features(self, examples: Examples) -> CachedInputs:
        """Return what the network makes of the examples: (n, d) float32."""
        with self.stages.stage(Activity.COMPUTING_FEATURES):
            return self._extractor.features(self._part, examples, self.stages.meter(Activity.COMPUTING_FEATURES, 1.0))
