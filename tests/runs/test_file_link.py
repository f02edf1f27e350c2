"""Letters between a process and a store that it cannot see: each is read once, and nobody's word is taken for granted."""

import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import QUICK
from tl_core.errors import SettingError, StorageError
from tl_core.events import Activity, Epoch, Plan, Step, Telemetry
from tl_core.runs import artifacts, file_link
from tl_core.runs.file_link import Mailbox
from tl_core.runs.letters import LETTERS, WISH
from tl_core.runs.states import State, before
from tl_core.runs.store import Store

RUN = "a"
AT_WORK = {"leaving": ["starting"], "to": "running", "values": {"started": 5.0}}


@pytest.fixture
def store() -> Store:
    """A store with one run, launched for the first time."""
    store = Store()
    store.create(RUN, QUICK)
    store.folder(RUN).mkdir()
    artifacts.write_spec(store.folder(RUN), QUICK)
    launch(store)
    return store


def launch(store: Store) -> None:
    """What the runner does when it launches an attempt."""
    attempt = store.run(RUN).attempts + 1
    assert store.change_state(RUN, (State.QUEUED,), State.STARTING, attempts=attempt, handle=f"a-{attempt}")
    file_link.tell(store, store.run(RUN))


def look(store: Store) -> State:
    """What the runner does at each look."""
    file_link.collect(store, store.run(RUN))
    file_link.tell(store, store.run(RUN))
    return store.run(RUN).state


def box(store: Store, attempt: int = 1) -> Mailbox:
    return Mailbox(store.folder(RUN), attempt)


def step(number: int, loss: float = 0.5) -> Step:
    return Step("all", 1, number, loss, 0.5, 100.0, number / 100)


def steps(store: Store) -> list[int]:
    return [event.data["step"] for event in store.events(RUN, "step")]


def letters(store: Store, attempt: int = 1) -> Path:
    return artifacts.attempt_folder(store.folder(RUN), attempt) / LETTERS


def write_outcome(folder: Path, text: str = "{}") -> None:
    for name in (artifacts.MODEL, artifacts.PREDICTIONS, artifacts.RESULT):
        (folder / name).write_text(text)


def begin(store: Store, attempt: int = 1) -> Mailbox:
    """A process that trains."""
    link = box(store, attempt)
    assert link.change_state((State.STARTING,), State.RUNNING, started=5.0)
    assert look(store) is State.RUNNING
    return link


def test_a_whole_run_by_letter(store: Store) -> None:
    link = box(store)
    assert link.spec() == QUICK
    assert link.state() is State.STARTING
    assert link.devices() == ()
    link.record([], handle="4711")
    link = begin(store)
    plan = Plan(({"name": "all", "epochs": 1, "steps_per_epoch": 2},), 4, 2, 2)
    link.record([(6.0, plan), (7.0, step(1)), (8.5, step(2, math.nan))], stage=Activity.TRAINING, done=0.5, images_per_second=9.0)
    look(store)
    run = store.run(RUN)
    assert (run.started, run.stage, run.done, run.images_per_second, run.handle) == (5.0, Activity.TRAINING, 0.5, 9.0, "a-1")
    assert [(event.at, event.data) for event in store.events(RUN, "plan")] == [(6.0, json.loads(json.dumps(plan.values())))]
    first, second = store.events(RUN, "step")
    assert (first.at, first.data, second.at) == (7.0, step(1).values(), 8.5)
    assert math.isnan(second.data["loss"])
    write_outcome(link.folder)
    assert link.change_state(before(State.DONE), State.DONE, correct=3, test_images=4, done=1.0, stage="")
    assert look(store) is State.DONE
    assert store.run(RUN).accuracy == 0.75
    assert (store.folder(RUN) / artifacts.RESULT).read_text() == "{}"


def test_every_event_that_a_run_can_report_arrives_as_it_was(store: Store) -> None:
    link = begin(store)
    told = [Epoch("all", 1, 2, 0.1, 0.2, None, None, 3.0), Telemetry(50.0, 1 << 40, gpus=({"uuid": "GPU-1", "watts": None},))]
    link.record([(1.0, event) for event in told])
    look(store)
    for event in told:
        (kept,) = store.events(RUN, event.kind)
        assert kept.data == json.loads(json.dumps(event.values()))


def test_each_letter_is_read_once_wherever_the_runner_is_killed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    link = begin(store)
    for number in range(1, 9):
        link.record([(float(number), step(number))])
        if number == 6:
            link.forget_after(4)

    class Killed(BaseException):
        pass

    def killed_after(method: Callable[..., object]) -> Callable[..., object]:
        def once(*arguments: object, **values: object) -> object:
            method(*arguments, **values)
            raise Killed

        return once

    for name in ("record", "record", "forget_after", "record"):
        with monkeypatch.context() as patch:
            patch.setattr(store, name, killed_after(getattr(store, name)))
            with pytest.raises(Killed):
                look(store)
    for _ in range(2):
        look(Store())
    assert steps(store) == [1, 2, 3, 4, 7, 8]


def test_a_line_that_is_still_being_written_waits_for_its_end(store: Store) -> None:
    link = begin(store)
    link.record([(1.0, step(1))])
    whole = letters(store).read_bytes()
    letters(store).write_bytes(whole[:-20])
    look(store)
    assert steps(store) == []
    letters(store).write_bytes(whole)
    look(store)
    assert steps(store) == [1]


def test_a_line_that_a_full_disk_cut_off_spoils_no_other(store: Store) -> None:
    link = begin(store)
    with letters(store).open("ab") as file:
        file.write(b'\n{"events": [[1.0, "st')
    link.record([(2.0, step(2))])
    look(store)
    assert steps(store) == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"\xff\xfe",
        b'{"events": 3}',
        b'{"to": "nowhere"}',
        b'{"values": {"done": "much"}}',
        b'{"values": {"correct": 1.5}}',
        b'{"forget_after": "x"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_letter_is_left_out_and_noted(store: Store, line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    link = begin(store)
    with letters(store).open("ab") as file:
        file.write(line + b"\n")
    link.record([(1.0, step(1))])
    with caplog.at_level(logging.WARNING):
        look(store)
    assert "Run a: a letter that cannot be read was left out" in caplog.text
    assert steps(store) == [1]
    assert store.run(RUN).state is State.RUNNING


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.sampled_from(["step", "queued", "running", "starting"]) | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["events", "to", "leaving", "values", "forget_after", "stage", "id", "spec"]), inner
            )
        ),
    )
)
def test_no_letter_can_do_harm(store: Store, value: object) -> None:
    box(store)
    with letters(store).open("a") as file:
        file.write(json.dumps(value) + "\n")
    look(store)
    run = store.run(RUN)
    assert (run.id, run.spec, run.attempts, run.handle) == (RUN, QUICK, 1, "a-1")
    assert run.collected == letters(store).stat().st_size


@pytest.mark.parametrize(
    ("leaving", "to"),
    [(["failed"], "queued"), (["running"], "crashed"), (["starting"], "done"), (["queued"], "starting"), (["done"], "running")],
)
def test_a_claim_that_no_process_may_make_is_not_heard(store: Store, leaving: list[str], to: str) -> None:
    begin(store)
    with letters(store).open("a") as file:
        file.write(json.dumps({"leaving": leaving, "to": to}) + "\n")
    assert look(store) is State.RUNNING


def test_a_run_without_a_result_is_not_done(store: Store) -> None:
    link = begin(store)
    assert link.change_state(before(State.DONE), State.DONE)
    assert look(store) is State.RUNNING


def test_the_store_has_the_last_word(store: Store) -> None:
    """A stop comes while the process says that it is done, and does not know of it yet."""
    link = begin(store)
    write_outcome(link.folder)
    store.change_state(RUN, (State.RUNNING,), State.CANCELLING)
    assert link.change_state(before(State.DONE), State.DONE, correct=3)
    assert look(store) is State.CANCELLING
    assert not (store.folder(RUN) / artifacts.RESULT).exists()
    assert store.run(RUN).correct is None


@pytest.mark.parametrize(("wish", "end"), [(State.PAUSING, State.PAUSED), (State.CANCELLING, State.CANCELLED)])
def test_a_wish_is_told_and_granted(store: Store, wish: State, end: State) -> None:
    link = begin(store)
    store.change_state(RUN, (State.RUNNING,), wish)
    look(store)
    assert link.state() is wish
    assert not link.change_state((State.STARTING,), State.RUNNING)
    assert link.change_state((wish,), end)
    assert look(store) is end


@pytest.mark.parametrize(("wish", "end"), [(State.PAUSING, State.PAUSED), (State.CANCELLING, State.CANCELLED)])
def test_a_wish_before_the_process_has_begun_is_granted_at_once(store: Store, wish: State, end: State) -> None:
    store.change_state(RUN, (State.STARTING,), wish)
    assert look(store) is end
    assert box(store).state() is State.CANCELLING  # it begins after all


@pytest.mark.parametrize("wish", [State.PAUSING, State.CANCELLING])
def test_a_wish_is_told_before_it_is_granted(store: Store, wish: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that is killed between the two leaves no process that trains for nothing."""
    store.change_state(RUN, (State.STARTING,), wish)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "change_state", raise_interrupt)
        look(store)
    assert store.run(RUN).state is wish
    assert box(store).state() is State.CANCELLING


def raise_interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_ghost_of_a_former_attempt_reaches_nothing(store: Store) -> None:
    """It was cut off and given up; the run goes on elsewhere."""
    ghost = begin(store)
    checkpoint = ghost.folder / artifacts.CHECKPOINT
    checkpoint.mkdir()
    (checkpoint / "state.npz").write_text("step 7")
    store.change_state(RUN, (State.RUNNING,), State.CRASHED)
    file_link.tell(store, store.run(RUN))
    assert ghost.state() is State.CANCELLING  # even before anybody resumes
    store.change_state(RUN, (State.CRASHED,), State.QUEUED)
    launch(store)
    heir = begin(store, 2)
    assert (heir.folder / artifacts.CHECKPOINT / "state.npz").read_text() == "step 7"
    with pytest.raises(FileNotFoundError):
        np.save(checkpoint / "state.npy", np.zeros(3))
    ghost.record([(1.0, step(8))], stage="ghost")
    write_outcome(ghost.folder, "ghost")
    assert not ghost.change_state(before(State.DONE), State.DONE, correct=1)
    assert not ghost.change_state((State.CANCELLING,), State.CANCELLED)
    with letters(store).open("a") as file:  # nor if it had asked before the wish was told
        file.write(json.dumps({"leaving": ["running"], "to": "done", "values": {"correct": 1}}) + "\n")
    write_outcome(heir.folder, "heir")
    assert heir.change_state(before(State.DONE), State.DONE, correct=3)
    assert look(store) is State.DONE
    assert store.run(RUN).correct == 3
    assert (store.folder(RUN) / artifacts.RESULT).read_text() == "heir"
    assert steps(store) == []
    assert store.run(RUN).stage != "ghost"


def test_a_run_waits_at_its_rung_and_the_next_attempt_hears_of_its_own(store: Store) -> None:
    store.update(RUN, lambda run: {"rung": 1})
    link = begin(store)
    assert link.rung() == 1
    assert link.change_state((State.RUNNING,), State.PAUSING)
    assert look(store) is State.PAUSING
    assert link.change_state((State.PAUSING,), State.PAUSED)
    assert look(store) is State.PAUSED
    heir = box(store, 2)
    assert heir.rung() is None  # that of the attempt before it is not its own
    store.change_state(RUN, (State.PAUSED,), State.QUEUED, rung=3)
    launch(store)
    assert (heir.state(), heir.rung()) == (State.STARTING, 3)
    store.update(RUN, lambda run: {"rung": None})  # somebody wants it whole
    look(store)
    assert heir.rung() is None


def test_a_process_that_is_quicker_than_the_wish_begins(store: Store) -> None:
    """Its folder may still show the wish of the former attempt, or none."""
    link = box(store, 2)
    assert link.state() is State.STARTING
    (store.folder(RUN) / WISH).unlink()
    assert link.state() is State.STARTING
    assert link.change_state((State.STARTING,), State.RUNNING)
    assert link.state() is State.RUNNING


def test_the_last_wish_counts_while_the_folder_cannot_be_read(store: Store) -> None:
    link = begin(store)
    store.change_state(RUN, (State.RUNNING,), State.PAUSING)
    look(store)
    assert link.state() is State.PAUSING
    (store.folder(RUN) / WISH).write_text("")
    assert link.state() is State.PAUSING


def test_what_comes_after_the_end_is_of_no_account(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run may be resumed in the very instant in which it is paused; the new attempt is read from its beginning."""
    link = begin(store)
    store.change_state(RUN, (State.RUNNING,), State.PAUSING)
    look(store)
    assert link.change_state((State.PAUSING,), State.PAUSED)
    link.record([], stage="a beat too late")
    change_state = store.change_state

    def resumed_at_once(*arguments: Any, **values: Any) -> bool:
        return change_state(*arguments, **values) and change_state(RUN, (State.PAUSED,), State.QUEUED)

    with monkeypatch.context() as patch:
        patch.setattr(store, "change_state", resumed_at_once)
        file_link.collect(store, store.run(RUN))
    run = store.run(RUN)
    assert (run.state, run.collected, run.stage) == (State.QUEUED, 0, "")


def test_a_new_attempt_is_read_from_its_beginning(store: Store) -> None:
    link = begin(store)
    link.record([(1.0, step(1)), (2.0, step(2))])
    look(store)
    store.change_state(RUN, (State.RUNNING,), State.CRASHED)
    store.change_state(RUN, (State.CRASHED,), State.QUEUED)
    launch(store)
    heir = box(store, 2)
    heir.forget_after(1)
    heir.record([(3.0, step(2))])
    look(store)
    assert steps(store) == [1, 2]
    assert [event.at for event in store.events(RUN, "step")] == [1.0, 3.0]


def test_a_folder_that_is_gone_is_told(store: Store) -> None:
    link = begin(store)
    letters(store).unlink()
    link.folder.rmdir()
    with pytest.raises(StorageError, match=r"The run's folder cannot be used \(.*No such file"):
        link.record([(1.0, step(1))])
    with pytest.raises(StorageError, match="The run's folder cannot be used"):
        Mailbox(store.folder("nobody"), 1)
    (store.folder(RUN) / artifacts.SPEC).unlink()
    with pytest.raises(SettingError, match="The run file cannot be read"):
        link.spec()
