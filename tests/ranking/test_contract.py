"""What every transferability score keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.ranking import scores
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("ranking"))
@pytest.mark.parametrize("name", scores.parts())
def test_part(name: str, check: Check) -> None:
    check(scores.part(name))
