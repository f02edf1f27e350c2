"""A small convolutional network without pretrained weights: the control that people usually build."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import CatalogueEntry, ScratchDefaults, register
from tl_core.backbones._untrained import Untrained, listing
from tl_core.networks.blocks import Block, cut_into_blocks

STAGES = 3
WIDTH = 16

# Statistics follow the data within tens of steps: Keras' default of 0.99 takes hundreds, which runs on few labels do not have.
MOMENTUM = 0.9


@register("small_cnn")
class SmallCNN(Untrained):
    """Three stages of convolution and pooling, trained from random weights: what one would build without transfer.

    Each stage is a 3 x 3 convolution, ReLU and 2 x 2 max pooling, and has twice the channels of the stage before;
    the last one's are averaged over the image. With batch normalisation it learns faster and is the harder control:
    a transfer that beats only the plain one has not shown much.
    """

    title: ClassVar[str] = "Small CNN"
    listing_order: ClassVar[int] = 90
    controls: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"batch_norm": True})
    minimum_size: ClassVar[int] = 16
    size_step: ClassVar[int] = 8
    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=45, learning_rate=2e-3, batch_size=32)

    batch_norm: bool = Field(
        False, title="Batch normalisation", description="Normalise after each convolution: the harder control."
    )
    width: int = Field(
        WIDTH,
        ge=4,
        le=128,
        title="Width",
        description="Channels of the first stage; each later stage has twice as many as the one before.",
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the plain network and the normalised one; `parameters` are those at the default width."""
        titles = ((cls.title, False), (f"{cls.title} with BatchNorm", True))
        return tuple(listing(title, {"batch_norm": chosen}, count_parameters(WIDTH, chosen)) for title, chosen in titles)

    def features(self, scaled: Any) -> Any:
        """Return features (batch, 4 * width) of pixels in 0..1."""
        import keras

        x = scaled
        for stage in range(STAGES):
            x = self._stage(x, self.width << stage, f"stage{stage + 1}")
        return keras.layers.GlobalAveragePooling2D(name="average")(x)

    def blocks(self, model: Any) -> tuple[Block, ...]:
        """Return a block a stage."""
        return cut_into_blocks(model, r"stage(\d)_")

    def _stage(self, x: Any, channels: int, name: str) -> Any:
        from keras import layers

        # No bias where batch normalisation follows: it has one of its own.
        x = layers.Conv2D(channels, 3, padding="same", use_bias=not self.batch_norm, name=f"{name}_conv")(x)
        if self.batch_norm:
            x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
        return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def count_parameters(width: int, batch_norm: bool) -> int:
    """Return the parameters (and BatchNorm statistics) of the network whose first stage has `width` channels."""
    channels = [3, *(width << stage for stage in range(STAGES))]
    a_channel = 4 if batch_norm else 1
    return sum(9 * below * above + a_channel * above for below, above in pairwise(channels))
