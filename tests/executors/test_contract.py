"""What every executor keeps to, whichever module it comes from: a new part is tested here without an edit."""

import pytest

from tests.tools.crashing import short_training
from tl_core import testing
from tl_core.executors import executors
from tl_core.testing import Check, executor

STARTING_PROCESSES = {
    executor.check_a_process_that_is_asked_to_end_does,
    executor.check_a_process_can_be_ended_at_once,
    executor.check_a_run_ends_by_itself_and_its_output_is_in_the_log,
    executor.check_the_variables_of_a_job_reach_its_process,
}
CHECKS = [
    pytest.param(check, marks=[pytest.mark.process] if check in STARTING_PROCESSES else [])
    for check in testing.checks("executor")
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", executors.parts())
def test_part(name: str, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    short_training(monkeypatch)
    check(executors.part(name))
