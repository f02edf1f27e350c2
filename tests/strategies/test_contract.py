"""What every strategy keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.strategies import strategies
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("strategy"))
@pytest.mark.parametrize("name", strategies.parts())
def test_part(name: str, check: Check) -> None:
    check(strategies.part(name))
