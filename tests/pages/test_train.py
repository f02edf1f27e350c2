"""The Train page, in every state that a run and the queue can be in; checked without a browser."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.helpers import QUICK
from tests.tools.pages import PAGES, errors, opened
from tl_core.machine import telemetry
from tl_core.runner import service
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Priority, Store
from tl_core.spec import RunSpec
from tl_core.ui import queue_text, steps

WAYS: dict[State, tuple[State, ...]] = {
    State.QUEUED: (),
    State.STARTING: (State.STARTING,),
    State.RUNNING: (State.STARTING, State.RUNNING),
    State.PAUSING: (State.STARTING, State.RUNNING, State.PAUSING),
    State.PAUSED: (State.STARTING, State.RUNNING, State.PAUSING, State.PAUSED),
    State.CANCELLING: (State.STARTING, State.RUNNING, State.CANCELLING),
    State.DONE: (State.STARTING, State.RUNNING, State.DONE),
    State.FAILED: (State.STARTING, State.RUNNING, State.FAILED),
    State.CANCELLED: (State.CANCELLED,),
    State.CRASHED: (State.STARTING, State.RUNNING, State.CRASHED),
}
"""How a run gets into each state."""


@pytest.fixture(autouse=True)
def nobody_attends(monkeypatch: pytest.MonkeyPatch) -> None:
    """No runner: the runs stay in the states they are put in."""
    monkeypatch.setattr(service, "ensure", lambda home: None)


def put(state: State = State.QUEUED, priority: Priority = Priority.NORMAL, spec: RunSpec = QUICK, **facts: Any) -> str:
    """A run in `state`; its id."""
    store = Store()
    folder = store.new_folder()
    store.create(folder.name, spec, priority=priority)
    now = State.QUEUED
    for to in WAYS[state]:
        values: dict[str, Any] = {"correct": 3, "test_images": 4, "seconds": 1.0, "done": 1.0} if to is State.DONE else {}
        values |= {"error": "It went wrong. Received: [x](y)"} if to in {State.FAILED, State.CRASHED} else {}
        values |= {"attempts": 1, **facts} if to is State.STARTING else {}
        assert store.change_state(folder.name, (now,), to, **values)
        now = to
    return folder.name


def said(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return "\n".join(element.value.replace("\\", "") for element in shown)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_beside_runs_in_every_state(page: str) -> None:
    chosen = [put(state) for state in State if state is not State.DONE][-1]
    assert not [told for told in errors(opened(page, run=chosen)) if "went wrong" not in told]


@pytest.mark.full
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("state", State)
def test_every_page_opens_on_a_run_in_every_state(page: str, state: State) -> None:
    if state is State.DONE and page == steps.RESULT.script:
        pytest.skip("a run that is done has files too; see test_pages")
    app = opened(page, run=put(state))
    assert not [told for told in errors(app) if "went wrong" not in told]


OFFERED = {
    State.QUEUED: {"Hold", "Stop"},
    State.STARTING: {"Pause", "Stop"},
    State.RUNNING: {"Pause", "Stop"},
    State.PAUSING: {"Stop"},
    State.PAUSED: {"Resume", "Stop"},
    State.CANCELLING: set(),
    State.DONE: set(),
    State.FAILED: {"Resume"},
    State.CANCELLED: {"Resume"},
    State.CRASHED: {"Resume"},
}


@pytest.mark.parametrize("state", State)
def test_what_can_be_done_in_each_state_is_offered(state: State) -> None:
    app = opened(steps.TRAIN.script, run=put(state))
    there = {name for name in ("Hold", "Pause", "Stop", "Resume") if name.lower() in {button.key for button in app.button}}
    assert there == OFFERED[state]
    assert app.button(key="run_again")


def test_an_empty_queue_says_so() -> None:
    assert "Nothing is running or waiting." in said(opened(steps.TRAIN.script, run=put(State.CANCELLED)))


def test_a_waiting_run_says_its_place_and_what_it_waits_for() -> None:
    put(State.RUNNING)
    first, second = put(), put()
    app = opened(steps.TRAIN.script, run=first)
    assert "Next in line" in said(app)
    assert "It starts when Small CNN · From scratch ends." in said(app)
    app = opened(steps.TRAIN.script, run=second)
    assert "Second in line" in said(app)
    assert "one other run goes first" in said(app)


def test_a_device_that_no_run_of_the_list_holds_is_told() -> None:
    run = Store().run(put())
    assert queue_text.when(run, [run], run.changed) == "It starts at once."
    assert "Something other than these runs" in queue_text.when(run, [run], run.changed + 60)


def test_what_a_resumed_run_goes_on_from_is_told_wherever_it_was_at_work(tmp_path: Path) -> None:
    for checkpoint in (tmp_path / "here" / "checkpoint", tmp_path / "there" / "attempt-2" / "checkpoint"):
        checkpoint.mkdir(parents=True)
        place = tmp_path / checkpoint.relative_to(tmp_path).parts[0]
        (checkpoint / ".partial-7-state.npz").touch()
        assert not artifacts.has_checkpoint(place)
        (checkpoint / "state.npz").touch()
        assert artifacts.has_checkpoint(place)


def test_a_run_of_high_priority_is_the_next() -> None:
    put(State.RUNNING)
    put()
    assert "Next in line" in said(opened(steps.TRAIN.script, run=put(priority=Priority.HIGH)))


@pytest.mark.parametrize(("count", "more"), [(1, None), (8, None), (9, "1 more is waiting."), (50, "42 more are waiting.")])
def test_a_long_queue_is_cut_and_says_how_much_is_left_out(count: int, more: str | None) -> None:
    chosen = [put() for _ in range(count)][-1]
    app = opened(steps.TRAIN.script, run=chosen)
    assert f"0 running, {count} waiting" in said(app)
    assert (
        [more] == [line for line in said(app).splitlines() if " more " in line and "waiting" in line]
        if more
        else "more are" not in said(app)
    )
    assert f"{count} waiting" in " ".join(caption.value for caption in app.sidebar.caption)


def test_moving_in_the_queue_and_looking_at_another_run() -> None:
    first, second = put(), put()
    app = opened(steps.TRAIN.script, run=first)
    assert app.button(key=f"up_{first}").disabled
    assert app.button(key=f"down_{second}").disabled
    app.button(key=f"up_{second}").click().run()
    assert [run.id for run in Store().queue()] == [second, first]
    app.button(key=f"look_at_{second}").click().run()
    assert second in app.query_params["run"]
    assert "Next in line" in said(app)


def test_a_wish_that_comes_too_late_is_one_sentence() -> None:
    run_id = put(State.RUNNING)
    app = opened(steps.TRAIN.script, run=run_id)
    Store().change_state(run_id, (State.RUNNING,), State.FAILED, error="Gone.")
    app.button(key="stop").click().run()
    assert any("cannot be stopped" in told for told in errors(app))
    assert not app.exception


def test_a_failed_run_says_why_once_with_what_resume_would_do() -> None:
    run_id = put(State.CRASHED)
    (Store().folder(run_id) / "log.txt").write_text("the last words")
    app = opened(steps.TRAIN.script, run=run_id)
    assert errors(app) == ["It went wrong. Received: [x](y)"]
    assert [code.value for code in app.code] == ["the last words"]
    assert "starts over" in app.button(key="resume").help


def test_both_clocks_are_told() -> None:
    assert re.search(r"waited (\d|less).* · running for (\d|less)", said(opened(steps.TRAIN.script, run=put(State.RUNNING))))


def test_the_sidebar_follows_the_state_of_the_run() -> None:
    run_id = put()
    app = opened(steps.TRAIN.script, run=run_id)
    told = lambda: [caption.value for caption in app.sidebar.caption]  # noqa: E731
    assert "Queued" in told()
    Store().change_state(run_id, (State.QUEUED,), State.STARTING, attempts=1)
    Store().change_state(run_id, (State.STARTING,), State.RUNNING)
    st.cache_resource.clear()
    app.run()
    assert "Running" in told()
    assert "Queued" not in told()


def test_the_run_that_is_looked_at_stands_out_and_others_say_their_data() -> None:
    first, second = put(), put(spec=QUICK.with_settings({"seed": 7}))
    app = opened(steps.TRAIN.script, run=first)
    keys = {button.key for button in app.button}
    assert f"look_at_{second}" in keys
    assert f"look_at_{first}" not in keys
    assert "Photo patches, 2 labels a class, 16 px, seed 7 · waiting for " in said(app)


def test_what_stop_ended_is_called_stopped() -> None:
    app = opened(steps.TRAIN.script, run=put(State.CANCELLED))
    assert "Stopped" in said(app)
    assert "Cancelled" not in said(app)
    assert opened(steps.COMPARE.script).dataframe[0].value["State"].tolist() == ["Stopped"]


def test_again_with_one_setting_changed() -> None:
    run_id = put(State.DONE)
    app = opened(steps.TRAIN.script, run=run_id)
    app.selectbox(key=f"again_setting_{run_id}").set_value("image_size").run()
    app.text_input(key=f"again_value_{run_id}_image_size").set_value("many").run()
    app.button(key=f"again_start_{run_id}").click().run()
    assert any("image_size" in told and "Received: many" in told for told in errors(app))
    app.text_input(key=f"again_value_{run_id}_image_size").set_value("24").run()
    app.button(key=f"again_start_{run_id}").click().run()
    assert not app.exception
    (new,) = Store().queue()
    assert new.spec.image_size == 24
    assert new.spec.strategy.name == QUICK.strategy.name
    assert "Next in line" in said(app)


def test_again_with_the_same_value_is_refused() -> None:
    run_id = put(State.DONE)
    app = opened(steps.TRAIN.script, run=run_id)
    app.button(key=f"again_start_{run_id}").click().run()
    assert any("has this value already" in told for told in errors(app))
    assert not Store().queue()


def test_run_again_queues_the_same_settings() -> None:
    run_id = put(State.DONE)
    app = opened(steps.TRAIN.script, run=run_id)
    app.button(key="run_again").click().run()
    (new,) = Store().queue()
    assert new.spec.seed == QUICK.seed
    assert new.spec.image_size == QUICK.image_size
    assert "Next in line" in said(app)


def test_a_run_that_was_made_by_a_part_that_is_gone_is_shown(home: Path) -> None:
    spec = RunSpec.parse({"strategy": "of_yesterday", "executor": "of_yesterday"})
    app = opened(steps.TRAIN.script, run=put(spec=spec))
    assert "of_yesterday" in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_settings_of_another_version_hide_no_other_run(home: Path, page: str) -> None:
    put(State.DONE)
    strange = put(State.DONE)
    with sqlite3.connect(home / "store.sqlite") as database:
        database.execute("UPDATE runs SET spec = json_set(spec, '$.of_later', 1) WHERE id = ?", [strange])
    app = opened(page, run=strange)
    assert len(Store().runs()) == 2
    if page == steps.TRAIN.script:
        assert any("There is no setting of_later" in error for error in errors(app))
        assert "(settings unreadable)" in said(app)


def test_the_place_where_a_run_executes_is_chosen_out_of_the_way() -> None:
    app = opened(steps.STRATEGY.script, executor="local")
    assert app.selectbox(key="executor_name").value == "local"


def test_the_sidebar_says_which_run_holds_a_device() -> None:
    ((device, title),) = telemetry.described().items()
    put(State.RUNNING)
    put(State.RUNNING, device=device)
    app = opened(steps.TRAIN.script)
    words = [element.value.replace("\\", "") for element in app.sidebar.caption]
    assert any(title in word for word in words)
    assert any("Elsewhere" in word for word in words)
