"""A folder as Hugging Face's hub has it, in the layout that Keras itself reads from there (`hf://`)."""

import json
from pathlib import Path
from typing import ClassVar

from tl_core.exports import Contents, register
from tl_core.exports.keras import KerasFormat

CONFIG = "config.json"


@register("hugging_face")
class HuggingFaceFormat(KerasFormat):
    """A folder for Hugging Face's hub, with the model card: Keras loads it from there by its name."""

    title: ClassVar[str] = "Hugging Face"
    listing_order: ClassVar[int] = 15
    file: ClassVar[str] = "model.weights.h5"
    loads: ClassVar[str] = """\
model = keras.saving.load_model(HERE)  # from the hub: "hf://OWNER/NAME"


def predict(inputs):
    return model.predict_on_batch(inputs)
"""

    def write(self, contents: Contents, place: Path) -> None:
        """Write weights, and beside them the network, with the names of its classes as the hub's libraries have them, and the
        card."""
        folder = place.parent
        contents.model.save(folder, zipped=False)
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        names = dict(enumerate(contents.outputs))
        config |= {"id2label": names, "label2id": {name: place for place, name in names.items()}}
        (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
        (folder / "README.md").write_text(contents.card, encoding="utf-8")
