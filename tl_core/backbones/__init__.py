"""Backbones: networks whose lower part is kept. A source of backbones is one module of this package.

A loaded backbone is a `Network`: one flat functional Keras graph from pixels (0..255, RGB) to pooled
features, preprocessing inside, cut into blocks. Its `Outline` says the same in plain values, without Keras.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tl_core.errors import SettingError
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
    accuracy in 0..1 and `reference` where it was published (both None where never pretrained);
    `parameters` includes no classifier; `here` says whether its weights are on this machine;
    `weights` says where they are, or where they can be had.
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


class Backbone(Part):
    """A source of networks."""

    pretrained: ClassVar[bool] = True
    """Whether pretrained weights exist at all."""
    minimum_size: ClassVar[int] = 32
    """Smallest side of an image, in pixels, that this network accepts."""
    useful_size: ClassVar[int] = 96
    """To this side smaller images are enlarged where no size is set. Measured with EfficientNet-Lite0 on digits of 8 x 8 pixels,
    10 labels a class: 73 % at 32 pixels, 81 % at 64, 86 % at 96, 84 % at 128."""
    native_size: ClassVar[int] = 224
    """The side that its weights learned at, or that it is built for: larger images are brought to it where no size is set."""
    size_step: ClassVar[int] = 32
    """What a side is best a multiple of: how far it is halved on the way to the features."""
    controls: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """The settings with which it is offered to be trained from random weights beside a transfer: those of networks that people
    would build instead."""
    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=30, learning_rate=1e-3, batch_size=32)

    @abstractmethod
    def load(self, image_size: int, *, pretrained: bool) -> Network:
        """Return the network for square images of `image_size` pixels, with its pretrained weights or, where `pretrained` is
        False, with random ones drawn from Keras' seed. Raises `WeightsError`."""

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

    def fitting_size(self, side: int | None) -> int:
        """Return the size, in pixels, for images whose shorter side has so many (None: not known): theirs, rounded up to
        `size_step`, from `useful_size` to `native_size`."""
        if side is None:
            return self.native_size
        return min(self.native_size, max(self.useful_size, self.minimum_size, -(-side // self.size_step) * self.size_step))

    def require_size(self, image_size: int) -> None:
        """Raise `SettingError` where images of `image_size` pixels are too small for this network."""
        if image_size < self.minimum_size:
            raise SettingError(
                f"{self.listing().title} needs images of at least {self.minimum_size} pixels.",
                f"Set image_size to {self.minimum_size} or more.",
                received=f"image_size={image_size}",
            )


backbones: Registry[Backbone] = Registry("backbone", "tl_core.backbones")
register = backbones.register
build = backbones.build
