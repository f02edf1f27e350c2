"""A run that ended below its own probe says so: on its page, on the command line, and in JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.analysis.test_convergence import PROBE, phase
from tests.analysis.test_convergence import result as stored_result
from tests.helpers import QUICK, keep_run
from tests.tools.pages import errors, opened
from tests.tools.short_training import outcome
from tl_core.__main__ import app as command_line
from tl_core.result import PhaseRecord
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import steps

RUN = "20260101-000000-aaaaaa"
FALLEN = phase("everything", 1e-3, loss=9.0, accuracy=1 / 3, validation_loss=8.0, validation_accuracy=1 / 3)
BACK = FALLEN.model_copy(update={"epochs": 5, "best_epoch": 0, "ended": PROBE.ended})
SAID = "Training made it worse: the phase everything ended with 33 %"


def finished(*phases: PhaseRecord, **more: Any) -> None:
    """A run of these phases in the store."""
    store, made = Store(), outcome(4, 0)
    kept = stored_result(*phases, **more).model_copy(update={"class_names": ("a", "b"), "test_images": 4})
    keep_run(store, RUN, State.DONE, QUICK, **artifacts.summary(kept))
    store.folder(RUN).mkdir(parents=True, exist_ok=True)
    artifacts.write_outcome(store.folder(RUN), replace(made, result=kept))


def page() -> tuple[list[str], list[str]]:
    """The warnings of the Result page, and all other texts on it."""
    app = opened(steps.RESULT.script, run=RUN)
    assert not errors(app)
    texts = [element.value.replace("\\", "") for element in (*app.markdown, *app.caption)]
    return [warning.value.replace("\\", "") for warning in app.warning], texts


def test_the_result_page_says_it() -> None:
    finished(PROBE, FALLEN)
    (warning,), _ = page()
    assert warning.startswith(SAID)


def test_a_run_that_went_back_to_its_probe_is_well_and_says_where_it_is() -> None:
    finished(PROBE, BACK)
    warnings, texts = page()
    assert not warnings
    assert any(
        "5 epochs, back to its initial weights, since no epoch had a lower validation loss, rate 0.001" in t for t in texts
    )
    assert not any("Without validation images" in text for text in texts)


def test_without_validation_images_the_proof_says_which_epoch_it_is() -> None:
    finished(phase("everything", 1e-3, loss=0.1, accuracy=1.0), validation=0)
    _, texts = page()
    assert "Without validation images no epoch is known to be the best: each phase kept its last one." in texts
    assert not any("back to" in text for text in texts)


@pytest.mark.parametrize("phases", [(PROBE, FALLEN), (PROBE, BACK)], ids=["fallen", "well"])
def test_the_command_line_says_it(phases: tuple[PhaseRecord, ...]) -> None:
    finished(*phases)
    told = CliRunner().invoke(command_line, ["watch", RUN])
    assert told.exit_code == 0
    assert told.stdout.startswith(f"Run {RUN}\nTest accuracy ")
    assert (f"\nWarning: {SAID}" in told.stdout) == (phases[-1] is FALLEN)
    (as_json,) = CliRunner().invoke(command_line, ["watch", RUN, "--json"]).stdout.splitlines()
    warnings = json.loads(as_json)["warnings"]
    assert [text.startswith(SAID) for text in warnings] == [True] * (phases[-1] is FALLEN)
