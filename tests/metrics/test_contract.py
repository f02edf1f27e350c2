"""What every metric keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.metrics import metrics
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("metric"))
@pytest.mark.parametrize("name", metrics.parts())
def test_part(name: str, check: Check) -> None:
    check(metrics.part(name))
