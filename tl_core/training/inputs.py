"""What each phase works on: the part of the network above its cut, and what the part below makes of the examples, once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples
from tl_core.data.images import Pixels
from tl_core.datasets import Data, Images
from tl_core.events import Activity
from tl_core.features.extractor import FeatureExtractor, View
from tl_core.features.frozen import FrozenPart
from tl_core.features.inputs import Inputs, Views
from tl_core.networks.outline import Network
from tl_core.planning.cost_model import ENGINE
from tl_core.planning.cuts import CutPlan
from tl_core.result import FrozenPartRecord
from tl_core.strategies import Classifier, Learning, Phase
from tl_core.training.augmentation import Augmenter
from tl_core.training.prepare import PhasePreparer
from tl_core.training.stages import Stages
from tl_core.training.teaching import said_by

VIEWS_STREAM = 2
"""Tells the random numbers of fixed views from others of a run's seed."""


class PhaseInputs(NamedTuple):
    """What a phase trains, a Keras model to probabilities, its training and validation inputs, and what a teacher says of each
    training example (n, classes), if one does."""

    model: Any
    train: Inputs
    validation: Inputs
    taught: NDArray[np.float32] | None


@dataclass(frozen=True)
class InputPipeline:
    """Feeds one run from its `extractor`, as `cuts` divide its network; `stages` say how far that is. Fixed views of the images
    are drawn from `seed`."""

    data: Data
    network: Network
    classifier: Classifier
    preparer: PhasePreparer
    cuts: CutPlan
    stages: Stages
    extractor: FeatureExtractor
    seed: int
    _lower: dict[tuple[int, int], FrozenPart] = field(default_factory=dict)

    def inputs_for(self, phase: Phase, index: int) -> PhaseInputs:
        """Return the whole classifier on pixels, or what lies above the phase's cut on what lies below it makes of the images.

        `index` is how many phases have come before.
        """
        below, teacher = self.cuts.cut(phase), phase.learning.teacher
        taught = said_by(teacher, self.data, self.extractor, self.stages) if teacher else None
        if not below:
            return PhaseInputs(self.classifier.model, self._whole(self.data.train), self._whole(self.data.validation), taught)
        with self.stages.stage(Activity.COMPUTING_FEATURES):
            frozen, upper = self._divided(below, index)
            count = self._meter(below)
            train = self._train(frozen, phase.learning, count)
            return PhaseInputs(upper, train, self.extractor.features(frozen, self.data.validation, count), taught)

    def test(self, model: Any, others: Examples | None = None) -> tuple[Any, Inputs]:
        """Return what to classify the test examples with, or `others`, and their inputs; `model` is the whole classifier, ready
        for it."""
        below, examples = self.cuts.test_cut, self.data.test if others is None else others
        if not below:
            return model, self._whole(examples)
        with self.stages.stage(Activity.COMPUTING_FEATURES):
            frozen, upper = self._divided(below, len(self.cuts.phases))
            return upper, self.extractor.features(frozen, examples, self._meter(below))

    def pictures(self, images: Images) -> Pixels:
        """Return the pixels of a few images (n, size, size, 3) uint8."""
        return self.extractor.inputs(images, lambda _: None).batch(np.arange(len(images)))

    def take_record(self) -> FrozenPartRecord:
        """Return what the frozen part had to compute since this was asked last."""
        return self.extractor.tally.take_record()

    def augmenter(self, phase: Phase, stream: tuple[int, ...]) -> Augmenter | None:
        """Return what changes the images of `phase` anew in each epoch; None unless it works on pixels and wants them changed."""
        wanted = phase.learning.augments and not self.cuts.cut(phase)
        return Augmenter(phase.learning, self._side, stream) if wanted else None

    def _whole(self, examples: Examples) -> Inputs:
        """Return what the whole network takes."""
        with self.stages.stage(Activity.READING_IMAGES):
            return self.extractor.inputs(examples, self.stages.meter(Activity.READING_IMAGES, 0.0))

    def _divided(self, below: int, index: int) -> tuple[FrozenPart, Any]:
        """Return the network in two, before phase number `index`."""
        whole = below == len(self.cuts.blocks)
        lower, upper = self.preparer.divide(self.classifier.features if whole else self.network.blocks[below - 1].output)
        key = below, self.cuts.moved(below, index)
        if key not in self._lower:  # what does not move need not be looked at again
            self._lower[key] = self.extractor.part(lower, self.network.graph)
        return self._lower[key], upper

    def _meter(self, below: int) -> Callable[[int], None]:
        return self.stages.meter(Activity.COMPUTING_FEATURES, ENGINE * self.cuts.share_under(below))

    def _train(self, frozen: FrozenPart, learning: Learning, count: Callable[[int], None]) -> Inputs:
        images = self.data.train
        if not learning.augments:
            return self.extractor.features(frozen, images, count)
        views = tuple(
            self.extractor.features(frozen, images, count, self._view(learning, number)) for number in range(learning.fixed_views)
        )
        return Views(views, np.tile(images.labels, len(views)))

    @property
    def _side(self) -> int:
        """Return the side of a picture, in pixels."""
        return self.extractor.preprocessor.shape[0]

    def _view(self, learning: Learning, number: int) -> View:
        stream = self.seed, VIEWS_STREAM, number
        augmenter = Augmenter(replace(learning, mixup=0.0, cutmix=0.0), self._side, stream)
        return View(f"{learning.augmentation} {stream}", partial(_changed, augmenter))


def _changed(augmenter: Augmenter, pictures: Pixels, group: int) -> NDArray[np.float32]:
    return augmenter(pictures.astype(np.float32), np.zeros((len(pictures), 1), np.float32), (group,))[0]
