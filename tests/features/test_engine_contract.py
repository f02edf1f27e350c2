"""What every inference engine keeps to, whichever module it comes from: a new part is tested here without an edit."""

import keras
import pytest

from tl_core import testing
from tl_core.features.engines import engines
from tl_core.testing import Check

CANNOT = {"openvino"} if keras.backend.backend() == "jax" else set()
"""Of a network on JAX, Keras' export makes what OpenVINO cannot read."""


@pytest.mark.parametrize("check", testing.checks("engine"))
@pytest.mark.parametrize("name", [name for name in engines.parts() if name not in CANNOT])
def test_part(name: str, check: Check) -> None:
    check(engines.part(name))
