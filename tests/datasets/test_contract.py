"""What every dataset keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.datasets import datasets
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("dataset"))
@pytest.mark.parametrize("name", datasets.parts())
def test_part(name: str, check: Check) -> None:
    part = datasets.part(name)
    if part.needs:
        pytest.importorskip(part.needs)
    check(part)
