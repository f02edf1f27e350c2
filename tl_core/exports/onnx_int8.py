"""ONNX in 8 bits, by ONNX Runtime's own static quantisation."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from tl_core.exports import Contents, register
from tl_core.exports.onnx import OnnxFormat


@register("onnx_int8")
class OnnxInt8(OnnxFormat):
    """ONNX that computes in 8 bits, a quarter of the size; inputs and outputs stay float32."""

    title: ClassVar[str] = "ONNX, int8"
    listing_order: ClassVar[int] = 21
    quantised: ClassVar[bool] = True

    def write(self, contents: Contents, place: Path) -> None:
        import onnx
        from onnxruntime import quantization

        class OneByOne(quantization.CalibrationDataReader):
            """The training examples."""

            def __init__(self) -> None:
                self._left: Iterator[Any] = iter(contents.examples)

            def get_next(self) -> dict[str, Any] | None:
                return next(({name: each[None]} for each in self._left), None)

        with TemporaryDirectory(prefix="transfer_lab_") as folder:
            exact, tidied = Path(folder) / "exact.onnx", Path(folder) / "tidied.onnx"
            super().write(contents, exact)
            quantization.quant_pre_process(exact, tidied, skip_symbolic_shape=True)  # else it needs SymPy
            name = onnx.load(tidied).graph.input[0].name
            unsigned = quantization.QuantType.QUInt8
            quantization.quantize_static(tidied, place, OneByOne(), per_channel=True, activation_type=unsigned)
