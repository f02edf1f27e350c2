"""Checks of what every part of a kind keeps to, for parts of this project and for those of other distributions.

import pytest
from tl_core import testing

@pytest.mark.parametrize("check", testing.checks("strategy"))
def test_my_strategy(check):
    check(MyStrategy)
"""

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from tl_core.registry import registry

Check = Callable[[type[Any]], None]
OF_ALL_KINDS = "part"


def checks(kind: str) -> tuple[Check, ...]:
    """Return the checks of the parts of `kind`: those of all kinds, then its own, if there is a module of its name here.

    Each takes the class of a registered part, works on its `example()` and raises `AssertionError` where that does not keep to
    something. Raises `SettingError` for a kind that does not exist.
    """
    modules = [name for each in (OF_ALL_KINDS, registry(kind).kind) if find_spec(name := f"{__name__}.{each}")]
    if "pytest" in sys.modules:  # then what an assertion compares is told in full
        sys.modules["pytest"].register_assert_rewrite(*(module for module in modules if module not in sys.modules))
    found = (vars(importlib.import_module(module)) for module in modules)
    return tuple(check for names in found for name, check in names.items() if name.startswith("check_"))
