"""What every study keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.studies import studies
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("study"))
@pytest.mark.parametrize("name", studies.parts())
def test_part(name: str, check: Check) -> None:
    check(studies.part(name))
