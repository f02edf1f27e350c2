"""What the pages show is the run of their address, as the store has it now; never another one in its place."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_train import nobody_attends, put, said
from tests.tools.pages import errors, opened
from tl_core.runs.states import State, before
from tl_core.runs.store import Store
from tl_core.ui import session, steps

__all__ = ["nobody_attends"]  # a fixture that is used by its effect


def result_is_said(app: AppTest) -> bool:
    return "test images right" in said(app)


@pytest.fixture
def ahead(home: Path) -> str:
    """The id of a finished run that bears a time two hours from now."""
    run = put(State.DONE)
    with contextlib.closing(sqlite3.connect(home / "store.sqlite", isolation_level=None)) as store:
        store.execute("UPDATE runs SET changed = changed + 7200, created = created + 7200 WHERE id = ?", (run,))
    return run


def test_a_run_that_ends_after_the_clock_was_set_back_is_seen_to_end(ahead: str) -> None:
    running = put(State.RUNNING)
    assert session.runs()[0].state is State.RUNNING
    assert Store().change_state(running, before(State.DONE), State.DONE)
    later = put()
    session.forget_runs()
    assert [(run.id, run.state) for run in session.runs()] == [
        (later, State.QUEUED),
        (running, State.DONE),
        (ahead, State.DONE),
    ]


def test_the_train_page_shows_the_newest_run_and_not_the_one_with_the_latest_time(ahead: str) -> None:
    running = put(State.RUNNING)
    app = opened(steps.TRAIN.script)
    assert any(button.key == f"look_at_{ahead}" for button in app.button)
    assert not any(button.key == f"look_at_{running}" for button in app.button)


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.FAILED])
def test_the_result_of_a_run_that_has_none_is_not_another_ones(state: State) -> None:
    put(State.DONE)
    wanted = put(state)
    app = opened(steps.RESULT.script, run=wanted)
    assert f"This run has no result. It is {state}." in said(app)
    assert not result_is_said(app)
    assert app.selectbox(key="picked_run").value is None
    assert app.query_params["run"] == wanted


def test_the_result_of_a_run_that_is_not_there_is_not_another_ones() -> None:
    put(State.DONE)
    app = opened(steps.RESULT.script, run="nothing")
    assert errors(app) == ["There is no run of that id here. Choose another one on this page. Received: nothing"]
    assert not result_is_said(app)
    assert app.query_params["run"] == "nothing"


def test_without_a_run_in_the_address_the_newest_result_is_shown(ahead: str) -> None:
    newest = put(State.DONE)
    app = opened(steps.RESULT.script)
    assert app.query_params["run"] == newest


def test_runs_to_compare_that_are_not_there_are_said() -> None:
    here = put(State.DONE)
    app = opened(steps.COMPARE.script, runs=f"nothing,{here}")
    assert errors(app) == ["There is no run of that id here. Choose another one on this page. Received: nothing"]


def test_a_run_that_waits_is_not_said_to_start_at_once_for_two_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    run = put()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 7200)
    assert "It starts as soon as a device is free" in said(opened(steps.TRAIN.script, run=run))
