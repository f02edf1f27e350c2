"""Where in a picture a network sees what it says (Selvaraju et al. 2017, Grad-CAM, arXiv 1610.02391), on its flat graph."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tl_core.networks.classifier import HEAD
from tl_core.networks.gradients import by_inputs
from tl_core.networks.graph import segments


def last_map(model: Any) -> Any:
    """Return the last tensor (batch, rows, columns, channels) of the functional `model` that has several places, that a kernel
    has made, and that alone leads to the output; None where there is none."""
    found, is_made = None, False
    for piece in segments(model):
        is_made = is_made or bool(piece.kernels)
        places = piece.output.shape[1:3]
        if is_made and len(piece.output.shape) == 4 and None not in places and min(places) > 1:
            found = piece.output
    return found


class GradCam:
    """Heat maps of a model by its last map: `below` maps pixels (batch, size, size, 3) to that, and `above` that to the features
    (batch, d) on which a linear head with the `kernel` (d, outputs) stands.

    What is followed back is an output before softmax or sigmoid, as in the paper: where a model is sure, its probability hardly
    changes any more.
    """

    def __init__(self, below: Any, above: Any, kernel: NDArray[np.float32]) -> None:
        self._below, self._above, self._kernel = below, above, kernel

    @classmethod
    def of(cls, classifier: Any) -> Self | None:
        """Return those of the functional model of a run; None where its network has no map."""
        import keras

        head = classifier.get_layer(HEAD)
        body = keras.Model(classifier.input, head.input)
        tensor = last_map(body)
        if tensor is None:
            return None
        kernel = np.asarray(keras.ops.convert_to_numpy(head.kernel), np.float32)
        return cls(keras.Model(body.input, tensor), keras.Model(tensor, body.output), kernel)

    @property
    def size(self) -> tuple[int, int]:
        """Return how many rows and columns a map has."""
        _, rows, columns, _ = self._below.output.shape
        return rows, columns

    def heat(self, pixels: NDArray[np.float32], outputs: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what speaks for the output `outputs` (n,) of each picture (n, size, size, 3), by place of the map: (n, rows,
        columns), 0..1, the largest 1; all 0 where nothing does."""
        import keras

        maps = np.asarray(keras.ops.convert_to_numpy(self._below(pixels, training=False)), np.float32)
        weights = by_inputs(self._above, maps, np.ascontiguousarray(self._kernel[:, outputs].T)).mean(axis=(1, 2))
        heat = np.maximum(np.einsum("nrck,nk->nrc", maps, weights), 0.0)
        return np.asarray(heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny))
