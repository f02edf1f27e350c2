"""The small network of the beginners' article: no convolutions, one hidden layer."""

from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import Listing, Network, Recipe, register
from tl_core.backbones.untrained import RANDOM, Untrained

ARTICLE_SIZE = 28


@register("article_mlp")
class ArticleMLP(Untrained):
    """The multilayer perceptron of beginners' tutorials: all pixels in a row, 128 hidden units, dropout.

    It is the network that TensorFlow's "quickstart for beginners" trains on MNIST: 28 x 28 grey pixels divided by
    255, a dense layer of 128 units with ReLU, dropout of 0.2. With a head for 10 classes it has 101,770
    parameters. It was never pretrained and knows nothing about neighbouring pixels: what the other backbones
    bring can be measured against it.
    """

    title: ClassVar[str] = "Article's MLP"
    minimum_size: ClassVar[int] = 8
    scratch: ClassVar[Recipe] = Recipe(epochs=10, learning_rate=1e-3, batch_size=128)

    colour: bool = Field(
        False,
        title="Colour",
        description="Keep the three colour channels apart; otherwise the network sees their mean, as the article's does.",
    )

    @classmethod
    def catalogue(cls) -> tuple[Listing, ...]:
        """In grey and in colour; `parameters` are those at the article's 28 pixels, since they grow with the image."""
        return tuple(_listing(cls.title, colour) for colour in (False, True))

    def load(self, image_size: int, *, pretrained: bool) -> Network:
        """The network with random weights: pixels (batch, size, size, 3) in 0..255 to (batch, 128).

        Raises `WeightsError` where `pretrained` is asked for, `SettingError` where the images are too small.
        """
        self.require_size(image_size)
        if pretrained:
            self.require_weights()
        import keras

        pixels = keras.Input((image_size, image_size, 3), dtype="float32", name="pixels")
        x = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
        if not self.colour:
            # A pooling over the channels: the mean as a layer, so that the graph saves and loads like any other.
            x = keras.layers.Reshape((image_size * image_size, 3), name="channels")(x)
            x = keras.layers.GlobalAveragePooling1D(data_format="channels_first", name="grey")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        x = keras.layers.Dense(128, activation="relu", name="dense")(x)
        x = keras.layers.Dropout(0.2, name="dropout")(x)
        model = keras.Model(pixels, x, name=self.name)
        return Network(model, (("dense", tuple(_above_pixels(model))),), RANDOM)


def _above_pixels(model: Any) -> list[Any]:
    return [layer for layer in model.layers if layer.name != "pixels"]


def _listing(title: str, colour: bool) -> Listing:
    inputs = ARTICLE_SIZE**2 * (3 if colour else 1)
    return Listing(
        title=f"{title}, in colour" if colour else title,
        settings={"colour": colour},
        parameters=inputs * 128 + 128,
        accuracy=None,
        reference=None,
        learned_from="nothing",
        licence="none needed",
        here=False,
        weights="none exist; it starts from random ones",
    )
