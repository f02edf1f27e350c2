"""What engines want to know of a network before they convert it."""

from typing import Any

import numpy as np

from tl_core.machine.backends import is_processor
from tl_core.networks.outline import multiply_adds

SMALL_NETWORK = 10_000_000
"""Multiply-adds of one image. What computes fewer is so fast in anything that converting it would take longer."""


def input_of(model: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape of one input of `model`, and the type in which an engine takes it: uint8 for pixels, int32 for tokens.

    Raises `ValueError` unless one tensor goes into `model` and one leaves it.
    """
    require_one_output(model)
    is_pixels = str(model.input.dtype).startswith("float")
    return tuple(model.input.shape[1:]), np.dtype(np.uint8 if is_pixels else np.int32)


def require_one_output(model: Any) -> None:
    """Raise `ValueError` unless one tensor goes into `model` and one leaves it."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"Expected one input and one output. Received: {len(model.inputs)} and {len(model.outputs)}")


def is_on_processor(model: Any) -> bool:
    """Return whether Keras keeps the weights of `model`, and so computes it, on the processor. One without weights may be
    anywhere."""
    return all(is_processor(weight.value.device) for weight in model.weights)


def is_worth_converting(model: Any) -> bool:
    """Return whether converting the Keras `model` may be worth its time."""
    return sum(multiply_adds(layer) for layer in model.layers) >= SMALL_NETWORK
