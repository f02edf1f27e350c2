"""What every backbone keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.backbones import backbones
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("backbone"))
@pytest.mark.parametrize("name", backbones.parts())
def test_part(name: str, check: Check) -> None:
    check(backbones.part(name))
