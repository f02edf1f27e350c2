"""Runs as processes: started, stopped, killed, left alone. Nothing here is a stand-in."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.helpers import ENDLESS, HANGS_SECONDS, QUICK, CommandLine, keep_run, settings_arguments, wait_until, write_images
from tl_core.errors import RunError, SettingError, WeightsError
from tl_core.recipe import Recipe
from tl_core.runner import control, service
from tl_core.runner.reconcile import MOST_LAUNCHES, reconcile
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Priority, Run, Store
from tl_core.spec import RunSpec


@pytest.fixture
def store() -> Store:
    return Store()


def ended(store: Store, run_id: str, seconds: float = HANGS_SECONDS) -> Run:
    """The run once it has ended, with what the pages do while they wait."""

    def look() -> Run | None:
        service.ensure(store.home)
        run = store.run(run_id)
        return None if run.state.alive else run

    return wait_until(look, seconds)


def started(store: Store, spec: RunSpec = ENDLESS, *, until_it_trains: bool) -> Run:
    """A run whose process has just been started, or that trains already."""
    run_id = control.start(store, spec)
    if until_it_trains:
        wait_until(lambda: store.events(run_id, "step") or not store.run(run_id).state.alive)
    else:
        wait_until(lambda: store.run(run_id).handle)
    run = store.run(run_id)
    assert run.state is (State.RUNNING if until_it_trains else State.STARTING)
    return run


def is_gone(run: Run) -> bool:
    return run.handle is not None and not psutil.pid_exists(int(run.handle))


def kill(run: Run) -> None:
    assert run.handle
    os.kill(int(run.handle), signal.SIGKILL)


@pytest.mark.process
@pytest.mark.parametrize("trains", [False, True], ids=["while starting", "while running"])
def test_a_stopped_run_is_cancelled_soon(store: Store, trains: bool, capsys: pytest.CaptureFixture[str]) -> None:
    run = started(store, until_it_trains=trains)
    reconcile(store)
    assert store.run(run.id).state is run.state  # a run that lives is left alone
    steps = len(store.events(run.id, "step"))
    asked = time.monotonic()
    control.stop(store, run.id)
    assert store.run(run.id).state in (State.CANCELLING, State.CANCELLED)
    end = ended(store, run.id)
    with capsys.disabled():
        sys.stdout.write(f"\n[stopped while {'running' if trains else 'starting'} after {time.monotonic() - asked:.1f} s]")
    assert (end.state, end.error, end.error_kind) == (State.CANCELLED, None, None)
    wait_until(lambda: is_gone(run))
    assert len(store.events(run.id, "step")) >= steps
    assert (steps > 0) == trains
    assert "Traceback" not in artifacts.read_log(store.folder(run.id))
    with pytest.raises(RunError, match="it is cancelled already"):
        control.stop(store, run.id)


@pytest.mark.process
@pytest.mark.parametrize("trains", [False, True], ids=["while starting", "while running"])
def test_a_killed_run_has_crashed(store: Store, trains: bool) -> None:
    run = started(store, until_it_trains=trains)
    kept = {kind: len(store.events(run.id, kind)) for kind in ("plan", "step", "epoch")}
    kill(run)
    end = ended(store, run.id)
    assert (end.state, end.error_kind) == (State.CRASHED, "Crash")
    assert end.error
    assert end.error.startswith("The process of this run ended without a word: it was killed")
    assert "signal SIGKILL" in end.error
    assert end.ended
    assert all(len(store.events(run.id, kind)) >= count for kind, count in kept.items())
    assert RunSpec.read(store.folder(run.id) / artifacts.SPEC) == end.spec
    with pytest.raises(RunError, match="has no result"):
        artifacts.read_result(store.folder(run.id))


@pytest.mark.process
def test_a_run_killed_while_it_is_being_stopped_is_cancelled(store: Store) -> None:
    run = started(store, until_it_trains=False)
    control.stop(store, run.id)
    kill(run)
    assert ended(store, run.id).state is State.CANCELLED


@pytest.mark.process
def test_a_run_that_does_not_listen_is_ended_from_outside(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run = started(store, until_it_trains=False)
    assert run.handle
    os.kill(int(run.handle), signal.SIGSTOP)
    asked = time.monotonic()
    control.stop(store, run.id)
    control.stop(store, run.id)  # asking twice is no mistake
    assert ended(store, run.id).state is State.CANCELLED
    with capsys.disabled():
        sys.stdout.write(f"\n[stopped while deaf after {time.monotonic() - asked:.1f} s]")
    wait_until(lambda: is_gone(run))


@pytest.mark.process
def test_a_run_outlives_whoever_started_it(home: Path) -> None:
    starter = CommandLine(home).start("train", *settings_arguments(QUICK))
    store = Store(home)
    run = wait_until(lambda: next((run for run in store.runs() if run.handle), None))
    starter.kill()
    starter.communicate()
    assert store.run(run.id).state.alive
    end = ended(store, run.id)
    assert (end.state, end.error) == (State.DONE, None)
    assert end.started
    assert end.ended
    assert end.created <= end.started <= end.ended
    assert (end.done, end.stage, end.test_images) == (1.0, "", 32)
    assert [len(store.events(run.id, kind)) for kind in ("plan", "step", "epoch")] == [1, 1, 1]
    assert store.events(run.id, "telemetry")[-1].data["memory_bytes"] > 1e7
    folder = store.folder(run.id)
    result, predictions = artifacts.read_result(folder), artifacts.read_predictions(folder)
    assert (result.test_correct, result.seconds, result.test_digest) == (end.correct, end.seconds, end.test_digest)
    assert len(predictions.labels) == end.test_images
    assert {path.name for path in folder.iterdir()} == {
        "spec.json",
        "result.json",
        "predictions.npz",
        "model.keras",
        "log.txt",
        "lock",
    }
    assert "Traceback" not in artifacts.read_log(folder)
    reconcile(store)
    assert store.run(run.id) == end


@pytest.mark.usefixtures("immediate")
def test_a_mistake_that_only_the_run_can_find(store: Store, tmp_path: Path) -> None:
    data = write_images(tmp_path / "data")
    for image in data.glob("class1/*.png"):
        image.write_bytes(image.read_bytes()[:60])
    changes = {"dataset": "image_folder", "dataset.path": str(data)}
    end = ended(store, control.start(store, QUICK.with_settings({"dataset": "image_folder"} | changes)))
    assert (end.state, end.error_kind) == (State.FAILED, "UndecodableError")
    assert end.error
    assert "class1" in end.error
    assert ".png" in end.error
    assert "\n" not in end.error
    assert "Traceback" not in artifacts.read_log(store.folder(end.id))
    with pytest.raises(RunError, match="it is failed already"):
        control.stop(store, end.id)


@pytest.mark.usefixtures("immediate")
def test_a_failed_run_goes_on_once_its_reason_is_mended(store: Store, tmp_path: Path) -> None:
    files = {file: file.read_bytes() for file in write_images(tmp_path / "data").rglob("*.png")}
    for file, content in files.items():
        file.write_bytes(content[:60])
    spec = QUICK.with_settings({"dataset": "image_folder", "dataset.path": str(tmp_path / "data")})
    run_id = control.start(store, spec)
    assert ended(store, run_id).state is State.FAILED
    for file, content in files.items():
        file.write_bytes(content)
    control.resume(store, run_id)
    end = ended(store, run_id)
    assert (end.state, end.attempts, end.error) == (State.DONE, 2, None)
    assert artifacts.read_result(store.folder(run_id)).test_images > 0


@pytest.mark.usefixtures("immediate")
def test_data_that_may_only_be_read(store: Store, tmp_path: Path) -> None:
    """A run leaves no trace in the folder of its images, where the system lets nobody write and where it would."""
    data = write_images(tmp_path / "data")
    folders = [data, *data.iterdir()]
    before = {path: path.stat().st_mtime_ns for path in sorted(data.rglob("*"))}
    for folder in folders:
        folder.chmod(0o555)
    try:
        end = ended(store, control.start(store, QUICK.with_settings({"dataset": "image_folder", "dataset.path": str(data)})))
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (end.state, end.error) == (State.DONE, None)
    assert {path: path.stat().st_mtime_ns for path in sorted(data.rglob("*"))} == before


@pytest.mark.usefixtures("immediate")
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dataset": "nothing"}, SettingError),
        ({"strategy.epochs": 0}, SettingError),
        ({"image_size": 8}, SettingError),
        ({"strategy": "linear_probe"}, WeightsError),
    ],
)
def test_what_cannot_run_leaves_nothing(store: Store, changes: dict[str, object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        control.start(store, QUICK.with_settings(changes))
    assert store.runs() == []
    assert list((store.home / "runs").iterdir()) == []


def test_there_is_nothing_to_stop(store: Store) -> None:
    with pytest.raises(RunError, match="There is no run of that id"):
        control.stop(store, "nobody")


def test_a_run_without_a_process_has_crashed(store: Store) -> None:
    """The machine went down while it trained."""
    keep_run(store, "left", State.RUNNING)
    reconcile(store)
    assert store.run("left").state is State.CRASHED


def test_a_run_whose_process_was_never_launched_waits_again(store: Store) -> None:
    """The machine went down between the note that the run starts and the start of its process. It is not lost, and one that
    never gets further is not tried for ever."""
    keep_run(store, "left")
    for attempt in range(1, MOST_LAUNCHES + 1):
        assert store.change_state("left", (State.QUEUED,), State.STARTING, attempts=attempt)
        reconcile(store)
        assert store.run("left").state is (State.QUEUED if attempt < MOST_LAUNCHES else State.CRASHED)


@pytest.mark.process
def test_many_who_reconcile_agree(store: Store) -> None:
    run = started(store, until_it_trains=False)
    others = [Store(store.home) for _ in range(4)]
    for other in others * 5:
        reconcile(other)
        assert store.run(run.id).state is State.STARTING
    kill(run)
    wait_until(lambda: is_gone(run))
    for other in others:
        reconcile(other)
    assert store.run(run.id).state is State.CRASHED


@pytest.mark.usefixtures("immediate")
def test_what_waits_is_stopped_and_held_at_once(store: Store) -> None:
    for name in "ab":
        keep_run(store, name, spec=RunSpec().with_settings({"executor": "local"}))
    control.stop(store, "a")
    assert store.run("a").state is State.CANCELLED
    control.pause(store, "b")
    assert store.run("b").state is State.PAUSED
    control.pause(store, "b")  # asking twice is no mistake
    control.stop(store, "b")
    assert store.run("b").state is State.CANCELLED


@pytest.mark.parametrize(
    ("wish", "state", "told"),
    [
        (control.pause, State.DONE, "cannot be paused: it is done already"),
        (control.pause, State.CANCELLING, "cannot be paused: it is cancelling already"),
        (control.resume, State.DONE, "cannot be resumed: it is done already"),
        (control.resume, State.PAUSING, "cannot be resumed: it is pausing already"),
        (control.stop, State.CRASHED, "cannot be stopped: it is crashed already"),
        (lambda store, run: control.move(store, run, 1), State.RUNNING, "cannot be moved in the queue: it is running already"),
        (lambda store, run: control.prioritise(store, run, Priority.HIGH), State.DONE, "cannot be given a priority: it is done"),
    ],
)
def test_a_wish_that_comes_too_late_is_told(store: Store, wish: Callable[[Store, str], None], state: State, told: str) -> None:
    keep_run(store, "a", state)
    with pytest.raises(RunError, match=told):
        wish(store, "a")
    assert store.run("a").state is state


@pytest.mark.usefixtures("immediate")
@pytest.mark.parametrize(
    ("wish", "late", "end"), [(control.stop, State.CANCELLING, State.CANCELLED), (control.pause, State.PAUSING, State.PAUSED)]
)
def test_a_wish_insists_where_the_run_moves_on_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch, wish: Callable[[Store, str], None], late: State, end: State
) -> None:
    """Its runner was lost: between two looks it goes back into the queue."""
    keep_run(store, "a", State.STARTING)
    change, moved = Store.change_state, list[bool]()

    def changed(self: Store, run_id: str, leaving: Sequence[State], to: State, **values: Any) -> bool:
        if to is late and not moved:
            moved.append(change(self, run_id, (State.STARTING,), State.QUEUED))
        return change(self, run_id, leaving, to, **values)

    monkeypatch.setattr(Store, "change_state", changed)
    wish(store, "a")
    assert moved == [True]
    assert store.run("a").state is end


@pytest.mark.usefixtures("immediate")
def test_the_same_again_with_one_field_changed(store: Store) -> None:
    keep_run(store, "a", State.DONE)
    with pytest.raises(SettingError):
        control.again(store, "a", {"strategy.epochs": 0})
    run = store.run(control.again(store, "a", {"seed": 7}, priority=Priority.HIGH))
    assert run.spec == Recipe.of(store.run("a").spec.with_settings({"seed": 7})).spec()
    assert run.priority is Priority.HIGH


@pytest.mark.process
def test_a_paused_run_goes_on_to_the_same_end(store: Store) -> None:
    """Through the real queue and two processes. That no bit differs is shown in tests/training/test_checkpoints.py, too."""
    spec = QUICK.with_settings({"strategy.epochs": 400})
    run = started(store, spec, until_it_trains=True)
    control.pause(store, run.id)
    wait_until(lambda: store.run(run.id).state is State.PAUSED)
    paused = store.run(run.id)
    steps = [event.data["step"] for event in store.events(run.id, "step")]
    assert 0 < len(steps) < 400
    assert 0 < paused.done < 1
    wait_until(lambda: is_gone(run))
    control.resume(store, run.id)
    end = ended(store, run.id)
    assert (end.state, end.attempts) == (State.DONE, 2)
    whole = ended(store, control.start(store, spec))
    assert whole.state is State.DONE
    for kind in ("step", "epoch"):
        one, other = ([without_times(event.data) for event in store.events(name, kind)] for name in (run.id, whole.id))
        assert one == other
    first, second = (artifacts.read_predictions(store.folder(name)) for name in (run.id, whole.id))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert artifacts.read_result(store.folder(run.id)).resumed == 1
    assert not list((store.folder(run.id) / artifacts.CHECKPOINT).glob("*"))


def without_times(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in {"images_per_second", "seconds"}}
