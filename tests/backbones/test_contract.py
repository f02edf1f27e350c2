"""What every backbone keeps to, whichever module it comes from: a new part is tested here without an edit."""

from collections.abc import Iterator

import pytest

from tl_core import testing
from tl_core.backbones import backbones
from tl_core.errors import WeightsError
from tl_core.testing import Check, backbone


@pytest.fixture(scope="module", autouse=True)
def networks_are_freed() -> Iterator[None]:
    """The checks keep the last network; what follows here needs its memory."""
    yield
    backbone._network.cache_clear()


@pytest.mark.parametrize("check", testing.checks("backbone"))
@pytest.mark.parametrize("name", backbones.parts())
def test_part(name: str, check: Check) -> None:
    try:
        check(backbones.part(name))
    except WeightsError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise
