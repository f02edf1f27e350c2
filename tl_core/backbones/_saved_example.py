"""A small model in a file as Keras saves it, written without Keras."""

import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from tl_core.networks.classifier import HEAD
from tl_core.networks.model_file import CONFIG, WEIGHTS
from tl_core.system.settings import MODEL

SIDE, CHANNELS, CLASSES = 32, 8, 16


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="transfer_lab_model_")


@cache
def saved_example() -> Path:
    """Return a file with two convolutions and a head, all its weights zero. It is gone when the process ends."""
    import h5py

    named: list[tuple[str, str, dict[str, Any]]] = [
        ("InputLayer", "pixels", {"batch_shape": [None, SIDE, SIDE, 3], "dtype": "float32"}),
        ("Rescaling", "scale", {"scale": 1 / 255, "offset": 0.0}),
        ("Conv2D", "block1_conv", {"filters": CHANNELS, "kernel_size": 3, "strides": 2, "activation": "relu"}),
        ("BatchNormalization", "block1_norm", {}),
        ("Conv2D", "block2_conv", {"filters": 2 * CHANNELS, "kernel_size": 3, "strides": 2}),
        ("GlobalAveragePooling2D", "average", {}),
        ("Dense", HEAD, {"units": CLASSES, "activation": "softmax"}),
    ]
    names = [name for _, name, _ in named]
    layers: list[dict[str, Any]] = [
        {"module": "keras.layers", "class_name": kind, "config": {"name": name, **settings}, "registered_name": None}
        | {"name": name, "inbound_nodes": [_after(below)] if below else []}
        for below, (kind, name, settings) in zip(("", *names), named, strict=False)
    ]
    shapes: dict[str, list[tuple[int, ...]]] = {
        "conv2d": [(3, 3, 3, CHANNELS), (CHANNELS,)],
        "batch_normalization": [(CHANNELS,)] * 4,
        "conv2d_1": [(3, 3, CHANNELS, 2 * CHANNELS), (2 * CHANNELS,)],
        "dense": [(2 * CHANNELS, CLASSES), (CLASSES,)],
    }
    ends = {"input_layers": [names[0], 0, 0], "output_layers": [names[-1], 0, 0]}
    kind = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"}
    config = kind | {"config": {"name": "example", "layers": layers, **ends}}
    file, weights = Path(_folder().name, MODEL), Path(_folder().name, WEIGHTS)
    with h5py.File(weights, "w") as stored:
        for layer, own in shapes.items():
            for place, shape in enumerate(own):
                stored.create_dataset(f"layers/{layer}/vars/{place}", shape, "float32")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(CONFIG, json.dumps(config))
        archive.write(weights, WEIGHTS)
    return file


def _after(layer: str) -> dict[str, Any]:
    """Return how Keras writes that a layer takes what `layer` gives; it looks at no more of a tensor than where it comes from."""
    tensor = {"shape": [], "dtype": "float32", "keras_history": [layer, 0, 0]}
    return {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {}}
