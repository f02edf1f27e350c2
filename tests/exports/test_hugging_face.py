"""The folder for Hugging Face's hub is what Keras reads from there."""

import json
from pathlib import Path

import keras
import numpy as np

from tl_core.exports import Contents
from tl_core.exports.hugging_face import CONFIG, HuggingFaceFormat


def test_keras_loads_the_folder_and_the_hub_finds_names_and_card(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    given = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    HuggingFaceFormat().export(Contents(model, given, ("cat", "dög"), "---\nlicense: mit\n---\n"), tmp_path)
    (tmp_path / "assets").rmdir()  # as on the hub, whose repositories hold no empty folders
    (tmp_path / "load.py").touch()
    loaded = keras.saving.load_model(tmp_path)  # what `hf://` does once it has fetched the files
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(each(given)) for each in (loaded, model)))
    config = json.loads((tmp_path / CONFIG).read_text(encoding="utf-8"))
    assert (config["id2label"], config["label2id"]) == ({"0": "cat", "1": "dög"}, {"cat": 0, "dög": 1})
    assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith("---\nlicense: mit\n")
