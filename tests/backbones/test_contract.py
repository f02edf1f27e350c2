"""What every backbone keeps to, whichever module it comes from: a new part is tested here without an edit."""

import gc
from collections.abc import Iterator

import pytest

from tests.tools.variants import variants
from tl_core import testing
from tl_core.backbones import backbones
from tl_core.errors import WeightsError
from tl_core.testing import Check, backbone

LARGER = {"efficientnet_lite1", "efficientnet_lite2"}
"""What EfficientNet-Lite0 is, by the same code."""


@pytest.fixture(autouse=True)
def copies_are_freed() -> Iterator[None]:
    """A network is a circle of objects, which waits for Python's search; some checks make three of 90 MB."""
    yield
    gc.collect()


@pytest.fixture(scope="module", autouse=True)
def networks_are_freed() -> Iterator[None]:
    """The checks keep the last network; what follows here needs its memory."""
    yield
    backbone._network.cache_clear()


@pytest.mark.parametrize("check", testing.checks("backbone"))
@pytest.mark.parametrize("name", variants(backbones.parts(), set(backbones.parts()) - LARGER))
def test_part(name: str, check: Check) -> None:
    try:
        check(backbones.part(name))
    except WeightsError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise
