"""The small network of the beginners' article: no convolutions, one hidden layer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import CatalogueEntry, ScratchDefaults, register
from tl_core.backbones._untrained import Untrained, listing
from tl_core.networks.blocks import Block

ARTICLE_SIZE = 28
WIDTH = 128


@register("article_mlp")
class ArticleMLP(Untrained):
    """The multilayer perceptron of beginners' tutorials: all pixels in a row, 128 hidden units, dropout.

    It is the network that TensorFlow's "quickstart for beginners" trains on MNIST: 28 x 28 grey pixels divided by
    255, a dense layer of 128 units with ReLU, dropout of 0.2. With a head for 10 classes it has 101,770
    parameters. It was never pretrained and knows nothing about neighbouring pixels: what the other backbones
    bring can be measured against it.
    """

    title: ClassVar[str] = "Small MLP"
    controls: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    minimum_size: ClassVar[int] = 8
    size_step: ClassVar[int] = 4
    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=10, learning_rate=1e-3, batch_size=128, schedule="constant")

    colour: bool = Field(
        False,
        title="Colour",
        description="Keep the three colour channels apart; otherwise the network sees their mean, as the article's does.",
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return it in grey and in colour; `parameters` are those at the article's 28 pixels, since they grow with the image."""
        titles = ((cls.title, False), (f"{cls.title}, in colour", True))
        inputs = {False: ARTICLE_SIZE**2, True: ARTICLE_SIZE**2 * 3}
        return tuple(listing(title, {"colour": colour}, (inputs[colour] + 1) * WIDTH) for title, colour in titles)

    def features(self, scaled: Any) -> Any:
        """Return features (batch, 128) of pixels in 0..1."""
        from keras import layers

        x = scaled
        if not self.colour:
            # A pooling over the channels: the mean as a layer, so that the graph saves and loads like any other.
            x = layers.Reshape((x.shape[1] * x.shape[2], 3), name="channels")(x)
            x = layers.GlobalAveragePooling1D(data_format="channels_first", name="grey")(x)
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(WIDTH, activation="relu", name="dense")(x)
        return layers.Dropout(0.2, name="dropout")(x)

    def blocks(self, model: Any) -> tuple[Block, ...]:
        """Return one block: there is nothing to cut."""
        return (Block("dense", tuple(model.layers), model.output),)
