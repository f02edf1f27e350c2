"""LiteRT that computes in 8 bits throughout, by TensorFlow's converter."""

from typing import Any, ClassVar

from tl_core.exports import Contents, register
from tl_core.exports.litert_dynamic import LiteRTDynamic


@register("litert_int8")
class LiteRTInt8(LiteRTDynamic):
    """LiteRT that computes in 8 bits throughout, for chips that do nothing else; inputs and outputs stay float32."""

    title: ClassVar[str] = "LiteRT, int8"
    listing_order: ClassVar[int] = 42

    def conversion(self, contents: Contents) -> dict[str, Any]:
        import tensorflow

        return super().conversion(contents) | {
            "representative_dataset": lambda: ([example[None]] for example in contents.examples),
            "target_spec": {"supported_ops": [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        }
