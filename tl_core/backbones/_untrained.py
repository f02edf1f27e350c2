"""Networks that were never pretrained: what they share."""

from abc import abstractmethod
from typing import Any, ClassVar

from tl_core.backbones import Backbone, CatalogueEntry, Provenance
from tl_core.errors import WeightsError
from tl_core.networks.blocks import Block
from tl_core.networks.outline import Network

RANDOM = Provenance(source="random weights", licence="none needed", learned_from="nothing")
"""Where weights come from that were drawn from Keras' seed."""


class Untrained(Backbone):
    """A source whose networks have no pretrained weights anywhere."""

    pretrained: ClassVar[bool] = False
    useful_size: ClassVar[int] = 8
    native_size: ClassVar[int] = 96

    def require_weights(self) -> None:
        """Raise `WeightsError` always: there are none."""
        raise WeightsError(
            f"{self.title} has no pretrained weights.",
            "Choose the strategy from_scratch, or a backbone that was pretrained, such as efficientnet_lite0.",
            received=f"backbone={self.name}",
        )

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network with random weights, to (batch, features).

        Raises `WeightsError` where `pretrained` is asked for, `SettingError` where the inputs are too small.
        """
        self.require_size(size)
        if pretrained:
            self.require_weights()
        import keras

        source, scaled = self.source(size)
        model = keras.Model(source, self.features(scaled), name=self.name)
        return Network(model, self.blocks(model), RANDOM)

    def source(self, size: int) -> tuple[Any, Any]:
        """Return the network's input, pixels (batch, size, size, 3) in 0..255, and what its layers see of it: them in 0..1."""
        import keras

        pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
        return pixels, keras.layers.Rescaling(1 / 255, name="scale")(pixels)

    @abstractmethod
    def features(self, scaled: Any) -> Any:
        """Return features (batch, n) of what `source` gives for the layers."""

    @abstractmethod
    def blocks(self, model: Any) -> tuple[Block, ...]:
        """Return the blocks of the finished network."""


def listing(title: str, settings: dict[str, Any], parameters: int) -> CatalogueEntry:
    """Return the entry of a network without weights in its source's catalogue."""
    return CatalogueEntry(
        title=title,
        settings=settings,
        parameters=parameters,
        accuracy=None,
        reference=None,
        learned_from="nothing",
        licence="none needed",
        here=False,
        weights="none exist; it starts from random ones",
        pretrained=False,
    )
