"""The networks of Keras Applications: where their weights are, and what is known of each (keras.io/api/applications)."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from tl_core.backbones._scaling import Scaling

TABLE = "keras_catalogue.csv"
"""A row a network: its family, where its weights are on the server, what Keras' cache calls them and how it checks them, and what
Keras publishes: parameters without the top, and top-1 accuracy on ImageNet at so many pixels."""
# fmt: off
Name = Literal[
    "MobileNetV2", "EfficientNetB0", "ResNet50", "MobileNet", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB1",
    "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7",
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2S", "EfficientNetV2M",
    "EfficientNetV2L", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2", "DenseNet121", "DenseNet169",
    "DenseNet201", "Xception", "InceptionV3", "InceptionResNetV2", "NASNetMobile", "NASNetLarge", "ConvNeXtTiny",
    "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge", "VGG16", "VGG19",
]
# fmt: on


@dataclass(frozen=True)
class Family:
    """What networks that were published together share: what matches the names of their layers by block (None where names do not
    tell them), what they expect, the licence of their weights, what those learned from, and the smallest size that they take."""

    block: str | None
    scaling: Scaling
    licence: str = "Apache-2.0 (Keras and its weights)"
    learned_from: str = "ImageNet-1k"
    least_pixels: int = 32


@dataclass(frozen=True)
class WeightsEntry:
    """What is known of one network.

    `file` is what Keras' cache calls its weights, and `url` where they are on the server; `digest` is the md5 or sha256 that
    Keras checks, where it has one. `accuracy` is top-1 on ImageNet (0..1) at `pixels` a side.
    """

    family: Family
    file: str
    url: str
    digest: str | None
    parameters: int
    accuracy: float
    pixels: int


CONV_BLOCK, EFFICIENT_BLOCK = r"conv(\d)_block(\d+)_", r"block(\d[a-z])_"
CONVNEXT_BLOCK = r"convnext_[a-z]+_stage_(\d)_block_(\d+)"
MIT = "Apache-2.0 (Keras), MIT (weights)"
GOOGLE = "Apache-2.0 (Keras; weights converted from Google's, also Apache-2.0)"
FAMILIES = {
    "mobile": Family(r"conv_[a-z]+_(\d+)", Scaling.SIGNED),
    "mobile_v2": Family(r"(?:block_(\d+)|expanded_conv)_", Scaling.SIGNED),
    "mobile_v3": Family(r"expanded_conv(?:_(\d+))?_", Scaling.INSIDE),
    "efficient": Family(EFFICIENT_BLOCK, Scaling.SPREAD, GOOGLE),
    "efficient_v2": Family(EFFICIENT_BLOCK, Scaling.INSIDE, GOOGLE),
    "resnet": Family(CONV_BLOCK, Scaling.BLUE_FIRST, "Apache-2.0 (Keras), MIT (weights, ported from Kaiming He's)"),
    "resnet_v2": Family(CONV_BLOCK, Scaling.SIGNED, "Apache-2.0 (Keras), BSD (weights, ported from Facebook's)"),
    "dense": Family(CONV_BLOCK, Scaling.STANDARDISED, "Apache-2.0 (Keras), BSD-3-Clause (weights)"),
    "xception": Family(r"block(\d+)_", Scaling.SIGNED, MIT, least_pixels=71),
    "inception": Family(None, Scaling.SIGNED, least_pixels=75),
    "nas": Family(None, Scaling.SIGNED),
    "convnext": Family(CONVNEXT_BLOCK, Scaling.INSIDE, MIT),
    "convnext_21k": Family(CONVNEXT_BLOCK, Scaling.INSIDE, MIT, "ImageNet-21k, then ImageNet-1k"),
    "vgg": Family(r"block(\d)_", Scaling.BLUE_FIRST, "Apache-2.0 (Keras), CC BY (weights, of Oxford's VGG)"),
}


def _read() -> dict[str, WeightsEntry]:
    # A machine of a cluster has this package as one archive, in which there are no paths.
    text = files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    return {row["name"]: _entry(row) for row in csv.DictReader(text.splitlines())}


def _entry(row: dict[str, str]) -> WeightsEntry:
    return WeightsEntry(
        family=FAMILIES[row["family"]],
        file=row["file"],
        url=row["url"],
        digest=row["digest"] or None,
        parameters=int(row["parameters"]),
        accuracy=float(row["top_1"]),
        pixels=int(row["pixels"]),
    )


NETWORKS = _read()
