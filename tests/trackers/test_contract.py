"""What every tracker keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tl_core import testing
from tl_core.errors import SettingError
from tl_core.testing import Check, tracker
from tl_core.trackers import trackers

TAKES_SECONDS = {tracker.check_a_run_may_be_sent_again}
CHECKS = [pytest.param(check, marks=[pytest.mark.full] if check in TAKES_SECONDS else []) for check in testing.checks("tracker")]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", trackers.parts())
def test_part(name: str, check: Check) -> None:
    part = trackers.part(name)
    try:
        part.example().require_installed()
    except SettingError as why:
        pytest.skip(str(why))
    check(part)
