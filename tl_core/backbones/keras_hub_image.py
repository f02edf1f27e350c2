"""Networks of images from KerasHub, by the name of a preset or from a folder."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tl_core.backbones import register
from tl_core.backbones._keras_hub import CONFIG, UNREADABLE, Preset
from tl_core.backbones._preset_backbone import Known, PresetBackbone, example_folder, preset_field
from tl_core.backbones._untrained import RANDOM
from tl_core.errors import SettingError, WeightsError, printable
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network

if TYPE_CHECKING:
    import tempfile

CONVERTER = "image_converter.json"
CHAINS = ("DINOV2Encoder",)
ADVICE = "Choose one such as DINOv2, ResNet or EfficientNet."
KNOWN = {
    "dinov2_small": Known(
        "DINOv2 small",
        22_582_656,
        "LVD-142M, without labels",
        "Apache-2.0",
        0.811,
        "Oquab et al. 2023, arXiv 2304.07193: a linear classifier on its features, at 224 px",
    ),
    "resnet_50_imagenet": Known(
        "ResNet-50 (timm)", 23_561_152, "ImageNet-1k", "Apache-2.0", 0.804, "Wightman et al. 2021, arXiv 2110.00476, A1 at 224 px"
    ),
}


@register("keras_hub_image")
class KerasHubImage(PresetBackbone):
    """Networks of images from KerasHub, such as DINOv2, ResNet and EfficientNet.

    Pixels are scaled as the preset's own image converter says. The features are what the network gives of its class token, or
    where it has none the mean over the places of the image. Dropout is off.
    """

    title: ClassVar[str] = "KerasHub image network"
    listing_order: ClassVar[int] = 25
    known: ClassVar[dict[str, Known]] = KNOWN
    needed: ClassVar[tuple[str, ...]] = (CONVERTER,)

    preset: str = preset_field("dinov2_small")

    @classmethod
    def example(cls) -> Self:
        return cls(folder=Path(_example_folder().name))

    @property
    def _patch(self) -> int | None:
        """Return the side of the patches that the network cuts an image into; None where it cuts none."""
        found = self._preset.config.get("patch_size")
        return int(found[0] if isinstance(found, list) else found) if found else None

    def sizes(self) -> tuple[int, int]:
        """Return the smallest side of an image, and the one that its weights learned at."""
        return self._patch or self.minimum_size, self.native_size

    def require_size(self, size: int) -> None:
        """Raise `SettingError` where images of that `size` cannot be cut into its patches."""
        super().require_size(size)
        if self._patch and size % self._patch:
            raise SettingError(
                f"{self.listing().title} takes images whose side is a multiple of {self._patch} {self.unit}, its patch.",
                f"Set {self.size_setting} to {size - size % self._patch}.",
                received=f"{self.size_setting}={size}",
            )

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: pixels (batch, size, size, 3) in 0..255 to its features (batch, width).

        Raises `WeightsError` where the preset is missing, cannot be read or is no network of images, `SettingError` where the
        size does not suit it.
        """
        self.require_size(size)
        preset = self._preset
        off = {"dropout_rate": 0.0, "drop_path_rate": 0.0}
        made = preset.network(pretrained=pretrained, download=self.download, image_shape=(size, size, 3), **off)
        self.require_size(size)  # now that its settings are here, if they were fetched
        model = _featured(made, size, preset, pretrained=pretrained)
        listing = self.listing()
        provenance = preset.provenance(listing.licence, listing.learned_from) if pretrained else RANDOM
        return Network(model, cut_into_blocks(model), provenance)


def _featured(made: Any, size: int, preset: Preset, *, pretrained: bool) -> Any:
    """Return the flat model from pixels to the features of `made`, the network of a preset. Raises `WeightsError` where it is
    none of images."""
    import keras

    from tl_core.networks.flat_copy import FlatCopy, pooled

    inputs = list(made.input.values()) if isinstance(made.input, dict) else [made.input]
    if len(inputs) != 1 or len(getattr(inputs[0], "shape", ())) != 4:
        raise WeightsError(
            "This preset holds no network of images alone.",
            ADVICE,
            received=f"{type(made).__name__} of {preset.place or preset.name}",
        )
    pixels = keras.Input((size, size, 3), dtype="float32", name="pixels")
    scaled = _scaled(pixels, preset)
    given = dict.fromkeys(made.input, scaled) if isinstance(made.input, dict) else scaled
    try:
        copy = FlatCopy(made, given, chained)
    except TypeError as error:
        raise WeightsError(
            f"A layer of this network cannot be made again of what KerasHub writes down of it, so no run could be kept "
            f"({printable(str(error).split('.')[0][:200])}).",
            ADVICE,
            received=f"{type(made).__name__} of {preset.place or preset.name}",
        ) from None
    try:
        whole = keras.Model(pixels, copy.output)
        features = _first(copy.output) if _has_class_token(preset) else pooled(whole)
        model = keras.Model(pixels, features, name=made.name)
        if pretrained:
            copy.take_weights(model.layers)
    except UNREADABLE as error:
        raise preset.unusable(error) from None
    return model


def _scaled(pixels: Any, preset: Preset) -> Any:
    """Return what the network expects in place of `pixels` (0..255), as the preset's own converter of images says."""
    import keras
    import keras_hub

    try:
        converter = keras_hub.layers.ImageConverter.from_preset(str(preset.place or preset.name))
    except UNREADABLE as error:
        raise preset.unusable(error) from None
    scale, offset = converter.scale, converter.offset
    return keras.layers.Rescaling(1.0 if scale is None else scale, 0.0 if offset is None else offset, name="scale")(pixels)


def _has_class_token(preset: Preset) -> bool:
    """Return whether the first of the tokens that the network gives stands for the whole image, as in DINOv2."""
    return "num_register_tokens" in preset.config


def chained(operation: Any) -> Sequence[Any]:
    """Return the layers of an encoder that calls them one after another, so that it can be cut between them; else none."""
    return getattr(operation, "layers", ()) if type(operation).__name__ in CHAINS else ()


def _first(tokens: Any) -> Any:
    """Return the first of the tokens (batch, n, width) of each image, by layers of Keras' own."""
    from keras import layers

    return layers.Flatten(name="class_token")(layers.Cropping1D((0, tokens.shape[1] - 1), name="other_tokens")(tokens))


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with a small preset without weights, written without KerasHub."""
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "patch_size": 16}
    shapes = {"image_shape": [32, 32, 3], "position_embedding_shape": [32, 32, 3], "num_register_tokens": 1}
    converter = "dinov2.dinov2_image_converter", "DINOV2ImageConverter", {"scale": 1 / 127.5, "offset": -1.0}
    return example_folder({CONFIG: ("dinov2.dinov2_backbone", "DINOV2Backbone", sizes | shapes), CONVERTER: converter})
