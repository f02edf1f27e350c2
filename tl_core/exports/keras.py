"""Keras' own file."""

from pathlib import Path
from typing import ClassVar

from tl_core.exports import Contents, ExportFormat, register


@register("keras")
class KerasFormat(ExportFormat):
    """One file to load, change or train on in Keras, whatever its backend."""

    title: ClassVar[str] = "Keras"
    listing_order: ClassVar[int] = 10
    file: ClassVar[str] = "model.keras"
    packages: ClassVar[str] = "keras tensorflow"
    converts: ClassVar[frozenset[str]] = frozenset({"tensorflow", "jax", "torch"})
    imports: ClassVar[str] = "import keras"
    loads: ClassVar[str] = """\
model = keras.saving.load_model(HERE / "model.keras")


def predict(inputs):
    return model.predict_on_batch(inputs)
"""

    def write(self, contents: Contents, place: Path) -> None:
        contents.model.save(place)
