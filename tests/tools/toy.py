"""A small network with BatchNorm, and runs of it that can be looked into while they go."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, ClassVar

import keras

from tl_core import backbones, strategies
from tl_core.backbones import Backbone, BlockOutline
from tl_core.datasets import Data
from tl_core.events import Event
from tl_core.features.cache import ActivationCache
from tl_core.networks.outline import Network
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import BatchNorm, Phase, Strategy, everything, nothing
from tl_core.strategies.from_scratch import FromScratch
from tl_core.testing._toy import SIZE, Known, ToyBackbone
from tl_core.training.run import Training
from tl_core.training.train import set_up

CLASSES = ("a", "b", "c")
FEW = {"dataset.labels_per_class": 2, "dataset.validation_per_class": 1, "dataset.test_per_class": 2}
TOY = RunSpec().with_settings(FEW | {"backbone": "small_cnn", "strategy": "from_scratch", "image_size": SIZE})


class Noise(keras.layers.Layer):
    """Some noise in training, from Keras' global generator; from one of its own on JAX, which refuses the global one."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.drawn_from = keras.random.SeedGenerator() if keras.backend.backend() == "jax" else None

    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs + 0.1 * keras.random.normal(keras.ops.shape(inputs), seed=self.drawn_from) if training else inputs


class Dropping(ToyBackbone):
    """One block with BatchNorm, and layers whose random states move in every training step: their own, and the global one."""

    name: ClassVar[str] = "dropping"

    def features(self, scaled: Any) -> Any:
        x = keras.layers.Conv2D(12, 3, 2, name="block1_conv")(scaled)
        x = keras.layers.ReLU(name="block1_relu")(keras.layers.BatchNormalization(name="block1_norm")(x))
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        return Noise(name="noise")(keras.layers.Dropout(0.4, name="dropout")(x))


class Alternating(Strategy):
    """The head, then everything, then the head again on features that have changed. Epochs of 12, 12 and 8 images."""

    pretrained: ClassVar[bool] = False
    title: ClassVar[str] = "Alternating"

    def phases(self, backbone: Backbone, blocks: Sequence[BlockOutline], train_images: int) -> Iterator[Phase]:
        yield Phase("head", 2, 1e-2, 12, trains=nothing)
        yield Phase("all", 2, 1e-2, 12, trains=everything, batch_norm=BatchNorm.ADAPTS)
        yield Phase("head again", 2, 1e-3, 12, trains=nothing)


CACHES = TemporaryDirectory(prefix="transfer_lab_")
ALTERNATING = {"backbone": "dropping", "strategy": "alternating", "image_size": SIZE}


@contextmanager
def known() -> Iterator[str]:
    """The name of `Known`, which is a part like any other meanwhile."""
    backbones.register(Known.name)(Known)
    try:
        yield Known.name
    finally:
        del backbones.backbones._parts[Known.name]


@contextmanager
def alternating() -> Iterator[RunSpec]:
    """A spec of these two, which are parts like any other meanwhile."""
    backbones.register(Dropping.name)(Dropping)
    strategies.register("alternating")(Alternating)
    try:
        yield RunSpec().with_settings(FEW | ALTERNATING)
    finally:
        del backbones.backbones._parts[Dropping.name], strategies.strategies._parts["alternating"]


def toy_network() -> tuple[Network, Any]:
    """The toy with random weights, alone and with a head for three classes."""
    keras.utils.set_random_seed(0)
    network = ToyBackbone().load(SIZE, pretrained=False)
    return network, FromScratch().join(network, CLASSES).model


def temporary_cache() -> ActivationCache:
    """One with nothing in it, for this process."""
    return ActivationCache(Path(mkdtemp(dir=CACHES.name)), 10**9)


def begin(
    report: Callable[[Event], None] = lambda event: None, change: Callable[[Data], Data] = lambda data: data, spec: RunSpec = TOY
) -> tuple[Training, tuple[Phase, ...]]:
    """A run up to its first phase, as `train` makes it; `change` may exchange its data."""
    recipe = Recipe.of(spec)
    recipe = replace(recipe, backbone=Known() if recipe.strategy.pretrained else ToyBackbone())
    training = set_up(recipe, report, cache=temporary_cache(), change=change)
    return training, training.cuts.phases


def shortened(phase: Phase, **changes: Any) -> Phase:
    """`phase` with one epoch, and other fields changed."""
    return replace(phase, epochs=1, **changes)
