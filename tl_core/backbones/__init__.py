"""Backbones: networks whose lower part is kept. A source of backbones is one module of this package.

A loaded backbone is a `Network`: one flat functional Keras graph from pixels (0..255, RGB) or tokens to pooled
features, preprocessing inside, cut into blocks. Its `Outline` says the same in plain values, without Keras.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tl_core.data.examples import Examples, Modality
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.resizing import SquarePixels
from tl_core.errors import SettingError
from tl_core.networks.download import WeightsFile
from tl_core.networks.onnx_graph import OnnxGraph
from tl_core.networks.outline import BlockOutline, Network, Outline, Provenance
from tl_core.registry import Part, Registry

__all__ = [
    "Backbone",
    "BlockOutline",
    "CatalogueEntry",
    "Network",
    "Outline",
    "Provenance",
    "ScratchDefaults",
    "backbones",
    "build",
    "register",
]


@dataclass(frozen=True)
class ScratchDefaults:
    """How a backbone is trained from random weights when nothing else is asked: its own tuned settings.

    `schedule` is one of those of `tl_core.strategies._by_gradient`, by its name.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    schedule: str = "cosine"


@dataclass(frozen=True)
class CatalogueEntry:
    """One network that a source offers, with the facts one chooses by.

    `settings` are the source's settings that give this network. `accuracy` is the published ImageNet top-1
    accuracy in 0..1 and `reference` where it was published (both None where it has none);
    `parameters` includes no classifier, unless it `counts_head`, and is 0 of a network that somebody is still to name;
    `here` says whether its weights are on this machine; `weights` says where they are, or where they can be had; `pretrained`
    says whether it ever learned anything. `file` is the published file of its weights, where it is one by itself, or the one that
    somebody has `brought` here under a name of his own.
    """

    title: str
    settings: dict[str, Any]
    parameters: int
    accuracy: float | None
    reference: str | None
    learned_from: str
    licence: str
    here: bool
    weights: str
    pretrained: bool = True
    counts_head: bool = False
    file: WeightsFile | None = None
    brought: bool = False


class Backbone(Part):
    """A source of networks.

    What it `accepts` is examples of one modality, each of which its `preprocessor` brings to one size: the side of a square of
    pixels, or a number of tokens.
    """

    accepts: ClassVar[Modality] = Modality.IMAGES
    unit: ClassVar[str] = "px"
    """What the size of an input is counted in."""
    size_setting: ClassVar[str] = "image_size"
    """The setting of a run that says it."""
    pretrained: ClassVar[bool] = True
    """Whether pretrained weights exist at all."""
    minimum_size: ClassVar[int] = 32
    """Smallest size of an input that this network accepts."""
    useful_size: ClassVar[int] = 96
    """To this size smaller examples are enlarged where none is set. Measured with EfficientNet-Lite0 on digits of 8 x 8 pixels,
    10 labels a class: 73 % at 32 pixels, 81 % at 64, 86 % at 96, 84 % at 128."""
    native_size: ClassVar[int] = 224
    """The size that its weights learned at, or that it is built for: larger examples are brought to it where none is set."""
    size_step: ClassVar[int] = 32
    """What a size is best a multiple of: how far a side is halved on the way to the features."""
    controls: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """The settings with which it is offered to be trained from random weights beside a transfer: those of networks that people
    would build instead."""
    features_only: ClassVar[bool] = False
    """Whether nothing but what it makes of examples is known of it: its layers cannot be trained, looked into or drawn anew."""
    adapts: ClassVar[bool] = False
    """Whether `adapted_to` makes another network of it."""
    is_control: ClassVar[bool] = False
    """Whether it is itself what people build without transfer, though its weights are not random."""
    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=30, learning_rate=1e-3, batch_size=32)

    @abstractmethod
    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network for inputs of that `size`, with its pretrained weights or, where `pretrained` is False, with random
        ones drawn from Keras' seed. Raises `WeightsError`."""

    def graph(self, size: int) -> OnnxGraph | None:
        """Return what computes its features where no Keras model does, for inputs of that `size`. Raises `WeightsError`, and
        `SettingError` for a size that it does not take. Needs no Keras."""
        return None

    def preprocessor(self, size: int) -> Preprocessor:
        """Return what makes inputs of `load(size)` of examples. Raises `WeightsError` where it needs files that are missing."""
        return SquarePixels(size)

    def adapted_to(self, examples: Examples) -> Self:
        """Return this as it is for a run that trains on these `examples`: one that has no words of its own takes theirs."""
        return self

    @property
    def content(self) -> str:
        """Return text that is equal for settings that give the same network: what was measured of it is kept under that."""
        return self.model_dump_json()

    @property
    def own_size(self) -> int | None:
        """Return the size of inputs that its settings say, where one of them does."""
        return None

    def with_size(self, size: int) -> Self:
        """Return the same with that size of inputs in its settings, where one of them says it."""
        return self

    @abstractmethod
    def require_weights(self) -> None:
        """Raise `WeightsError` unless `load(..., pretrained=True)` can have the weights. Needs no Keras."""

    @classmethod
    @abstractmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the networks this source offers. Needs no Keras."""

    def listing(self) -> CatalogueEntry:
        """Return the entry of the catalogue that these settings choose."""
        values = self.model_dump()
        return next(entry for entry in self.catalogue() if all(values[key] == value for key, value in entry.settings.items()))

    def fitting_size(self, typical: int | None) -> int:
        """Return the size for examples that typically have this one (None: not known), such as the shorter sides of images:
        theirs, rounded up to `size_step`, from `useful_size` to `native_size`."""
        smallest, native = self.sizes()
        if typical is None:
            return native
        return min(native, max(self.useful_size, smallest, -(-typical // self.size_step) * self.size_step))

    def sizes(self) -> tuple[int, int]:
        """Return the smallest size of an input that these settings accept, and the one that their weights learned at."""
        return self.minimum_size, self.native_size

    def require_layers(self, what: str, way_out: str) -> None:
        """Raise the `SettingError` of a network of which only the features are known, where something is asked for that needs its
        layers: `what` that is, and what helps."""
        if self.features_only:
            raise SettingError(
                f"{what} needs the layers of the network, and {self.listing().title} gives its features only.",
                way_out,
                received=f"backbone={self.name}",
            )

    def require_size(self, size: int) -> None:
        """Raise `SettingError` where inputs of that `size` are too small for this network."""
        smallest, _ = self.sizes()
        if size < smallest:
            raise SettingError(
                f"{self.listing().title} needs {self.accepts} of at least {smallest} {self.unit}.",
                f"Set {self.size_setting} to {smallest} or more.",
                received=f"{self.size_setting}={size}",
            )


backbones: Registry[Backbone] = Registry("backbone", "tl_core.backbones")
register = backbones.register
build = backbones.build
