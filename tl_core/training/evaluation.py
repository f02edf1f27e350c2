"""What a trained model says of the test images, and what decided the numbers."""

import os
import platform
from collections.abc import Callable
from importlib import metadata

import keras
import numpy as np
from numpy.typing import NDArray

from tl_core import __version__
from tl_core.data.images import Pixels
from tl_core.datasets import Images
from tl_core.result import Predictions

HARDEST = 24
"""How many of the hardest test images are kept with a run."""


def gather_predictions(test: Images, probabilities: NDArray[np.float32], pixels: Callable[[Images], Pixels]) -> Predictions:
    """The predictions with the `HARDEST` images: those whose true class got the least probability. `pixels` gives those of
    some images."""
    of_truth = probabilities[np.arange(len(test)), test.labels]
    hardest = np.argsort(of_truth, kind="stable")[:HARDEST]
    names = np.array([test.name(index) for index in hardest], dtype=np.str_)
    return Predictions(test.labels, probabilities, hardest, pixels(test.take(hardest)), names)


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, the backend's name and the number of processor cores."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: metadata.version(backend),
        "backend": backend,
        "cores": str(os.cpu_count()),
        "transfer_lab": __version__,
    }
