"""Batches of pixels as engines take them: of one shape, so that a network is compiled for one shape alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def filled(pixels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """`pixels` with black images after them where they are fewer than `shape` wants."""
    require_batch(pixels, shape)
    if len(pixels) == shape[0]:
        return pixels
    whole = np.zeros(shape, np.uint8)
    whole[: len(pixels)] = pixels
    return whole


def require_batch(pixels: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Raise `ValueError` unless `pixels` are uint8 in `shape`, or fewer."""
    if pixels.dtype != np.uint8 or pixels.shape[1:] != shape[1:] or len(pixels) > shape[0]:
        raise ValueError(f"Expected uint8 pixels in at most the shape {shape}. Received: {pixels.dtype} in {pixels.shape}")


def require_one_output(model: Any) -> None:
    """Raise `ValueError` unless one tensor goes into `model` and one leaves it."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"Expected one input and one output. Received: {len(model.inputs)} and {len(model.outputs)}")
