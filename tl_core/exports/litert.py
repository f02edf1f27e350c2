"""LiteRT (formerly TensorFlow Lite), by Keras' own export."""

from pathlib import Path
from typing import Any, ClassVar

from tl_core.exports import Contents, ExportFormat, register


@register("litert")
class LiteRTFormat(ExportFormat):
    """One file for telephones and small devices, computed by LiteRT, which was called TensorFlow Lite."""

    title: ClassVar[str] = "LiteRT"
    listing_order: ClassVar[int] = 40
    file: ClassVar[str] = "model.tflite"
    packages: ClassVar[str] = "ai-edge-litert"
    needs: ClassVar[tuple[str, ...]] = ("ai_edge_litert",)
    imports: ClassVar[str] = "from ai_edge_litert.interpreter import Interpreter"
    loads: ClassVar[str] = """\
interpreter = Interpreter(str(HERE / "model.tflite"))
interpreter.allocate_tensors()


def predict(inputs):
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    if entry["shape"].tolist() != list(inputs.shape):
        interpreter.resize_tensor_input(entry["index"], inputs.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(exit_["index"])
"""

    def write(self, contents: Contents, place: Path) -> None:
        contents.model.export(str(place), format="litert", verbose=False, **self.conversion(contents))

    def conversion(self, _contents: Contents) -> dict[str, Any]:
        """Return the settings of TensorFlow's converter."""
        return {}
