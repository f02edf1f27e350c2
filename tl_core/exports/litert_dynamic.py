"""LiteRT with weights of 8 bits, by TensorFlow's converter."""

from typing import Any, ClassVar

from tl_core.exports import Contents, register
from tl_core.exports.litert import LiteRTFormat


@register("litert_dynamic")
class LiteRTDynamic(LiteRTFormat):
    """LiteRT with weights of 8 bits: a quarter of the size, while what lies between the layers stays in float32."""

    title: ClassVar[str] = "LiteRT, dynamic range"
    listing_order: ClassVar[int] = 41
    quantised: ClassVar[bool] = True

    def conversion(self, contents: Contents) -> dict[str, Any]:
        import tensorflow

        return super().conversion(contents) | {"optimizations": [tensorflow.lite.Optimize.DEFAULT]}
