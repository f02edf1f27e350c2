"""The values of Keras variables, taken and set again."""

from collections.abc import Sequence
from typing import Any

import keras

Arrays = tuple[Any, ...]
"""NumPy arrays."""


def get_values(variables: Sequence[Any]) -> Arrays:
    """Return the values of `variables`, in their order."""
    return tuple(keras.ops.convert_to_numpy(variable) for variable in variables)


def set_values(variables: Sequence[Any], values: Arrays) -> None:
    """Set `variables` to `values`, which `get_values` took from as many variables of the same shapes."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
