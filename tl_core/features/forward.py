"""One pass of a network over images, in batches, with progress."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.pixels import SizedImages, ahead

BATCH = 32


def forward(model: Any, images: SizedImages, on_batch: Callable[[int], None]) -> NDArray[np.float32]:
    """What `model` gives for each image: (n, outputs) float32. `on_batch` is told how many images each batch had.

    The last batch is filled up to the size of the others, since a new shape would compile the network again.
    """
    outputs = []
    parts = np.array_split(np.arange(len(images)), range(BATCH, len(images), BATCH))
    for indices, pixels in ahead((part, images.batch(np.resize(part, BATCH))) for part in parts if len(part)):
        outputs.append(np.asarray(model.predict_on_batch(pixels.astype(np.float32)), np.float32)[: len(indices)])
        on_batch(len(indices))
    return np.concatenate(outputs) if outputs else np.zeros((0, model.output.shape[-1]), np.float32)
