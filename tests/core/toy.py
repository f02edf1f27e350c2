"""A small network with BatchNorm, and runs of it that can be looked into while they go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import keras

from tl_core.backbones import Listing, Network
from tl_core.backbones.untrained import RANDOM, Untrained
from tl_core.datasets import Data
from tl_core.events import Event
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.strategies import Phase
from tl_core.strategies.linear_probe import LinearProbe
from tl_core.training import Training

SIZE, CLASSES = 16, ("a", "b", "c")
FEW = {"dataset.labels_per_class": 2, "dataset.validation_per_class": 1, "dataset.test_per_class": 2}
TOY = RunSpec().with_settings(FEW | {"backbone": "small_cnn", "strategy": "from_scratch", "image_size": SIZE})


class ToyBackbone(Untrained):
    """Three blocks of a convolution and a BatchNorm."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy"

    @classmethod
    def catalogue(cls) -> tuple[Listing, ...]:
        return ()

    def load(self, image_size: int, *, pretrained: bool) -> Network:
        pixels = keras.Input((image_size, image_size, 3), name="pixels")
        x = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
        blocks = []
        for number in (1, 2, 3):
            layers = keras.layers.Conv2D(6, 3, 2, name=f"conv{number}"), keras.layers.BatchNormalization(name=f"norm{number}")
            x = keras.layers.ReLU(name=f"relu{number}")(layers[1](layers[0](x)))
            blocks.append((f"block {number}", layers))
        return Network(keras.Model(pixels, keras.layers.GlobalAveragePooling2D(name="average")(x)), tuple(blocks), RANDOM)


def toy_network() -> tuple[Network, Any]:
    """The toy with random weights, alone and with a head for three classes."""
    keras.utils.set_random_seed(0)
    network = ToyBackbone().load(SIZE, pretrained=False)
    return network, LinearProbe().join(network, CLASSES)


def begin(
    report: Callable[[Event], None] = lambda event: None, change: Callable[[Data], Data] = lambda data: data, spec: RunSpec = TOY
) -> tuple[Training, tuple[Phase, ...]]:
    """A run up to its first phase, with the same steps as `train`; `change` may exchange its data."""
    keras.utils.set_random_seed(spec.seed)
    recipe = replace(Recipe.of(spec), backbone=ToyBackbone())
    training = Training(recipe, report)
    data = change(recipe.dataset.load(recipe.seed))
    network = recipe.backbone.load(recipe.image_size, pretrained=False)
    model = recipe.strategy.join(network, data.class_names)
    return training, training.plan(data, network, model)


def shortened(phase: Phase, **changes: Any) -> Phase:
    """`phase` with one epoch, and other fields changed."""
    return replace(phase, epochs=1, **changes)
