"""Training images that differ in each epoch: flipped, cropped, distorted, and mixed with each other."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core.phases.phase import Augmentation
from tl_core.strategies import Learning

PIXELS = (0, 255)
IMAGE_DTYPE = "float32"
"""Pictures are made in it, whatever the network computes in."""
PADDING = 8
"""A cropped image may be moved by an 8th of its side."""


class Augmenter:
    """Keras' own layers on batches of images (n, size, size, 3) float32 in 0..255 and labels (n, classes) float32.

    What comes out depends on nothing but the batch and its number: an interrupted run goes on with the same pictures.
    """

    def __init__(self, learning: Learning, size: int, seed: Sequence[int]) -> None:
        self._seed = seed
        self._distort = _distortions(learning.augmentation, size)
        self._mix = _mixtures(learning)

    def __call__(self, pixels: Any, labels: Any, number: Sequence[int]) -> tuple[Any, Any]:
        """Return the batch of that `number` (its epoch and its place) as the network is to see it."""
        drawn = np.random.default_rng([*self._seed, *number])
        for layer in self._distort:
            _reseed(layer, drawn)
            pixels = layer(pixels, training=True)
        if self._mix:
            mix = self._mix[drawn.integers(len(self._mix))]
            _reseed(mix, drawn)
            mixed = mix({"images": pixels, "labels": labels}, training=True)
            pixels, labels = mixed["images"], mixed["labels"]
        return _array(pixels), _array(labels)


def _distortions(augmentation: Augmentation, size: int) -> list[Any]:
    flip = keras.layers.RandomFlip("horizontal", dtype=IMAGE_DTYPE)
    border = size // PADDING
    crop = [keras.layers.ZeroPadding2D(border, dtype=IMAGE_DTYPE), keras.layers.RandomCrop(size, size, dtype=IMAGE_DTYPE)]
    return {
        Augmentation.NONE: [],
        Augmentation.FLIP: [flip],
        Augmentation.FLIP_AND_CROP: [flip, *crop],
        Augmentation.RAND_AUGMENT: [flip, keras.layers.RandAugment(PIXELS, factor=0.3, dtype=IMAGE_DTYPE)],
    }[augmentation]


def _mixtures(learning: Learning) -> list[Any]:
    """Return MixUp and CutMix where they are wanted; where there are both, each batch gets one of them."""
    mixup = [keras.layers.MixUp(learning.mixup, dtype=IMAGE_DTYPE)] if learning.mixup else []
    return mixup + ([keras.layers.CutMix(learning.cutmix, dtype=IMAGE_DTYPE)] if learning.cutmix else [])


def _reseed(layer: Any, drawn: np.random.Generator) -> None:
    """Make all generators of `layer` begin where `drawn` says."""
    for state in layer.non_trainable_variables:
        state.assign(drawn.integers(2**32, size=state.shape, dtype=np.uint32))


def _array(values: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(values))
