"""What every task keeps to."""

import pytest

from tl_core import testing
from tl_core.tasks import tasks
from tl_core.testing import Check


@pytest.mark.parametrize("check", testing.checks("task"))
@pytest.mark.parametrize("name", tasks.parts())
def test_part(name: str, check: Check) -> None:
    check(tasks.part(name))
