"""Many variants of one test, of which the default suite runs a few."""

from collections.abc import Container, Iterable
from typing import Any

import pytest

from tl_core.strategies import strategies

UNTAUGHT = tuple(name for name, part in strategies.parts().items() if not part.example().teacher_run)
"""The strategies that train on whatever data: an example's teacher knows those of the contract tests alone."""


def variants(values: Iterable[Any], few: Container[Any]) -> list[Any]:
    """Return `values` for `parametrize`; those that are not among the `few` are marked `full`."""
    return [value if value in few else pytest.param(*as_arguments(value), marks=pytest.mark.full) for value in values]


def as_arguments(value: Any) -> tuple[Any, ...]:
    """Return what pytest takes for one set of arguments."""
    return value if isinstance(value, tuple) else (value,)
