"""ONNX, by Keras' own export through tf2onnx."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tl_core.exports import Contents, ExportFormat, register


@register("onnx")
class OnnxFormat(ExportFormat):
    """One file for servers, browsers and programs in C++, C# or Java, computed by ONNX Runtime without TensorFlow."""

    title: ClassVar[str] = "ONNX"
    listing_order: ClassVar[int] = 20
    file: ClassVar[str] = "model.onnx"
    packages: ClassVar[str] = "onnxruntime"
    needs: ClassVar[tuple[str, ...]] = ("onnx", "tf2onnx", "onnxruntime")
    imports: ClassVar[str] = "import onnxruntime"
    loads: ClassVar[str] = """\
session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])


def predict(inputs):
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]
"""

    def write(self, contents: Contents, place: Path) -> None:
        """Write it. Raises `SettingError` for an operator that ONNX lacks: tf2onnx writes a file all the same."""
        import keras
        import onnx
        from tf2onnx.handler import tf_op

        model = contents.model
        tf_op.register_handler(_erfc, 9, ["Erfc"], "", {})
        tf_op.register_handler(_einsum, 13, ["Einsum"], "", {})
        entry = keras.InputSpec(shape=model.input.shape, dtype=model.input.dtype, name=model.input.name)
        model.export(str(place), format="onnx", verbose=False, input_signature=[entry])
        graph = onnx.load(place)
        opset = next(each.version for each in graph.opset_import if not each.domain)
        unknown = {node.op_type for node in graph.graph.node if not onnx.defs.has(node.op_type, opset, node.domain)}
        if unknown:
            raise self.refused(f"it has operators that ONNX lacks: {', '.join(sorted(unknown))}")


def _erfc(graph: Any, node: Any, **_settings: Any) -> None:
    """Put 1 - erf in the place of the complementary error function, which TensorFlow has in an exact GELU and tf2onnx does not
    know."""
    result = node.output[0]
    dtype, shape = graph.get_dtype(result), graph.get_shape(result)
    one = graph.make_const(f"{node.name}_one", np.ones((), np.float32)).output[0]
    error = graph.make_node("Erf", [node.input[0]], dtypes=[dtype], shapes=[shape]).output[0]
    graph.remove_node(node.name)
    graph.make_node("Sub", [one, error], outputs=[result], dtypes=[dtype], shapes=[shape])


def _einsum(graph: Any, node: Any, **settings: Any) -> None:
    """Put a product in the place of an einsum that is one, such as that of a head which centres its features: the dozens of
    operators that tf2onnx makes of it OpenVINO does not read."""
    from tf2onnx.onnx_opset.math import Einsum

    taken, _, given = node.get_attr_value("equation").decode().partition("->")
    first, *others = taken.split(",")
    if first == given and len(others) == 1 and first.endswith(others[0]):
        node.type = "Mul"
        del node.attr["N"], node.attr["equation"]
    else:
        Einsum.version_12(graph, node, **settings)
