"""One pass of a network over a source, in batches, with progress."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.inputs import Inputs, as_taken
from tl_core.features.prefetch import prefetch

BATCH = 32


def predict(model: Any, source: Inputs, on_batch: Callable[[int], None]) -> NDArray[np.float32]:
    """Return what `model` gives for each input: (n, outputs) float32. `on_batch` is told how many inputs each batch had.

    The last batch is filled up to the size of the others, since a new shape would compile the network again.
    """
    outputs = []
    parts = np.array_split(np.arange(len(source)), range(BATCH, len(source), BATCH))
    for indices, inputs in prefetch((part, source.batch(np.resize(part, BATCH))) for part in parts if len(part)):
        outputs.append(np.asarray(model.predict_on_batch(as_taken(inputs)), np.float32)[: len(indices)])
        on_batch(len(indices))
    return np.concatenate(outputs) if outputs else np.zeros((0, model.output.shape[-1]), np.float32)
