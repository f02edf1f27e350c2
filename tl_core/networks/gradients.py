"""Gradients of a Keras model by its inputs, with whichever backend computes: Keras has no way of its own to ask for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def by_inputs(model: Any, inputs: NDArray[Any], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gradient, by the `inputs` (n, ...), of the sum of what `model` gives for them (n, outputs), weighted with
    `weights` (n, outputs): (n, ...) float32."""
    import keras

    def weighted(given: Any) -> Any:
        outputs = keras.ops.cast(model(given, training=False), "float32")
        return keras.ops.sum(outputs * keras.ops.convert_to_tensor(weights))

    found = _BY_BACKEND[keras.backend.backend()](weighted, keras.ops.convert_to_tensor(inputs, model.input.dtype))
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(found, "float32")))


def _by_tensorflow(function: Callable[[Any], Any], given: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(given)
        value = function(given)
    return tape.gradient(value, given)


def _by_jax(function: Callable[[Any], Any], given: Any) -> Any:
    import jax

    return jax.grad(function)(given)


def _by_torch(function: Callable[[Any], Any], given: Any) -> Any:
    import torch

    watched = given.detach().requires_grad_()
    (found,) = torch.autograd.grad(function(watched), watched)
    return found


_BY_BACKEND = {"tensorflow": _by_tensorflow, "jax": _by_jax, "torch": _by_torch}
