"""A page that shows a run has it in its address and in the sidebar from the first drawing on."""

from tests.pages.test_train import put
from tests.tools.pages import opened
from tl_core.runs.states import State
from tl_core.ui import steps


def test_the_result_page_names_its_run_at_once() -> None:
    newest = put(State.DONE)
    put(State.FAILED)
    app = opened(steps.RESULT.script)
    assert app.query_params["run"] == newest
    assert "Done" in [caption.value for caption in app.sidebar.caption]  # under Train


def test_so_does_the_train_page() -> None:
    put(State.DONE)
    newest = put(State.FAILED)
    app = opened(steps.TRAIN.script)
    assert app.query_params["run"] == newest
    assert "Failed" in [caption.value for caption in app.sidebar.caption]


def test_a_page_that_shows_no_run_chooses_none() -> None:
    put(State.DONE)
    assert "run" not in opened(steps.COMPARE.script).query_params
