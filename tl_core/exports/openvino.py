"""OpenVINO's own format, by Keras' own export."""

from pathlib import Path
from typing import ClassVar

from tl_core.exports import Contents, ExportFormat, register
from tl_core.features.engines._conversion import write_graph


@register("openvino")
class OpenVINOFormat(ExportFormat):
    """Two files, graph and weights, for Intel's processors and graphics, where they are often the quickest."""

    title: ClassVar[str] = "OpenVINO"
    listing_order: ClassVar[int] = 30
    file: ClassVar[str] = "model.xml"
    packages: ClassVar[str] = "openvino"
    needs: ClassVar[tuple[str, ...]] = ("openvino",)
    imports: ClassVar[str] = "import openvino"
    loads: ClassVar[str] = """\
exact = {"INFERENCE_PRECISION_HINT": "f32"}  # else a processor that has bfloat16 computes in that
network = openvino.Core().compile_model(HERE / "model.xml", "CPU", exact)


def predict(inputs):
    return network(inputs)[0]
"""

    def write(self, contents: Contents, place: Path) -> None:
        write_graph(contents.model, (None, *contents.model.input.shape[1:]), place)
