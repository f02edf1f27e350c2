"""TensorFlow's SavedModel, by Keras' own export."""

from pathlib import Path
from typing import ClassVar

from tl_core.exports import Contents, ExportFormat, register


@register("saved_model")
class SavedModelFormat(ExportFormat):
    """A folder for TensorFlow Serving, and for programs that have TensorFlow and no Keras."""

    title: ClassVar[str] = "SavedModel"
    listing_order: ClassVar[int] = 50
    file: ClassVar[str] = "saved_model"
    packages: ClassVar[str] = "tensorflow"
    imports: ClassVar[str] = "import tensorflow"
    loads: ClassVar[str] = """\
network = tensorflow.saved_model.load(str(HERE / "saved_model"))


def predict(inputs):
    return network.serve(inputs).numpy()
"""

    def write(self, contents: Contents, place: Path) -> None:
        contents.model.export(str(place), format="tf_saved_model", verbose=False)
