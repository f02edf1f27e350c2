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

SIDE, CHANNELS = 32, 8


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
        ("Dense", HEAD, {"units": 3, "activation": "softmax"}),
    ]
    layers: list[dict[str, Any]] = [
        {"module": "keras.layers", "class_name": kind, "config": {"name": name, **settings}, "registered_name": None}
        for kind, name, settings in named
    ]
    shapes: dict[str, list[tuple[int, ...]]] = {
        "conv2d": [(3, 3, 3, CHANNELS), (CHANNELS,)],
        "batch_normalization": [(CHANNELS,)] * 4,
        "conv2d_1": [(3, 3, CHANNELS, 2 * CHANNELS), (2 * CHANNELS,)],
        "dense": [(2 * CHANNELS, 3), (3,)],
    }
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "example", "layers": layers}}
    file, weights = Path(_folder().name, MODEL), Path(_folder().name, WEIGHTS)
    with h5py.File(weights, "w") as stored:
        for layer, own in shapes.items():
            for place, shape in enumerate(own):
                stored.create_dataset(f"layers/{layer}/vars/{place}", shape, "float32")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(CONFIG, json.dumps(config | {"registered_name": None}))
        archive.write(weights, WEIGHTS)
    return file
