"""What every export keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.errors import SettingError
from tl_core.exports import formats
from tl_core.testing import Check, export

STARTING_PROCESSES = {export.check_its_own_runtime_says_what_keras_says}
CHECKS = [
    pytest.param(check, marks=[pytest.mark.process] if check in STARTING_PROCESSES else []) for check in testing.checks("export")
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", formats.parts())
def test_part(name: str, check: Check) -> None:
    part = formats.part(name)
    try:
        part.require_possible()
    except SettingError as why:
        pytest.skip(str(why))
    check(part)
