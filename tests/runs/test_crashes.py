"""The crash matrix: kill -9 of the run, of the runner and of who starts it, at every instant that matters. The server is killed
with a tab open in tests/browser/test_server_killed.py.

Nothing is lost, nothing is done twice, no device is used twice, nothing half-written is seen, and every page still opens.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tests.helpers import ENDLESS, QUICK, ROOT, end_processes_of, wait_until
from tests.tools.crashing import Breakpoint, Watchman, assert_whole, kill, runner_of, settled, short_training
from tests.tools.pages import OF_RUNS, PAGES, opened
from tests.tools.variants import variants
from tl_core.runner import control, service
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system.settings import CHECKPOINT_VARIABLE

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("opens_pages")]

EPOCHS = 12
SPEC = QUICK.with_settings({"strategy.epochs": EPOCHS, "strategy.batch_size": 8})
EVENTS = {"first step": "step", "epoch end": "epoch"}
"""Moments that are seen when the run has told of them."""
CHECKPOINT_WRITE = "os.rename:state.npz"
FINAL_WRITES = {
    "the model's write": "os.rename:model.keras",
    "the predictions' write": "os.rename:predictions.npz",
    "the result's write": "os.rename:result.json",
}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(CHECKPOINT_VARIABLE, "0")
    return Store()


def left_alone(home: Path) -> tuple[Store, str]:
    """The same run without an interruption: what every interrupted one must come to."""
    store = Store(home)
    run_id = control.start(store, SPEC)
    assert settled(store, run_id).state is State.DONE
    end_processes_of(home)
    return store, run_id


def assert_same(store: Store, run_id: str, uninterrupted: tuple[Store, str]) -> None:
    """The run came to the very same end as one that was left alone."""
    other, other_id = uninterrupted
    for kind in ("step", "epoch"):
        curves = [
            [(event.data["step"], event.data["loss"], event.data["accuracy"]) for event in place.events(name, kind)]
            for place, name in ((store, run_id), (other, other_id))
        ]
        assert curves[0] == curves[1]
    ends = [artifacts.read_predictions(place.folder(name)) for place, name in ((store, run_id), (other, other_id))]
    assert (ends[0].probabilities == ends[1].probabilities).all()


def assert_pages_open(run_id: str, pages: Sequence[str] = OF_RUNS) -> None:
    for page in pages:
        opened(page, run=run_id)


def the_run(store: Store, run_id: str) -> psutil.Process:
    return psutil.Process(int(wait_until(lambda: store.run(run_id).handle)))


MOMENTS = ("starting", "first step", "epoch end", "checkpoint write", *FINAL_WRITES, "pausing")
FEW = [("starting", False), ("pausing", False), ("checkpoint write", True), ("the result's write", True)]
"""Moments that no test marked full need be asked for, and whether Keras trains there, which what the process does around it does
not depend on."""


@pytest.mark.parametrize(
    ("moment", "keras"),
    variants([(moment, keras) for moment in MOMENTS for keras in (False, True)], FEW),
)
def test_a_killed_run_crashes_and_goes_on_to_the_same_end(
    moment: str, keras: bool, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not keras:
        short_training(monkeypatch)
    uninterrupted = left_alone(tmp_path / "left alone")
    stops = {"starting": "import:tl_core.training.train", "checkpoint write": CHECKPOINT_WRITE, "pausing": CHECKPOINT_WRITE}
    halt = None
    if moment not in EVENTS:
        halt = Breakpoint.at((stops | FINAL_WRITES)[moment], tmp_path / "break", monkeypatch)
    with Watchman(store.home).on_guard():
        run_id = control.start(store, SPEC)
        if halt is None:
            wait_until(lambda: store.events(run_id, EVENTS[moment]))
            kill(the_run(store, run_id))
        else:
            halted = halt.process()
            assert halted.pid == the_run(store, run_id).pid
            if moment == "pausing":
                control.pause(store, run_id)
            kill(halted)
            halt.remove()
        crashed = settled(store, run_id)
        assert crashed.state is (State.DONE if crashed.accuracy else State.CRASHED)
        assert_whole(store, run_id)
        assert not (store.folder(run_id) / artifacts.RESULT).exists() or crashed.state is State.DONE
        assert_pages_open(run_id)
        if crashed.state is State.CRASHED:  # a run without a halt may have been quicker than its killer
            control.resume(store, run_id)
            assert settled(store, run_id).state is State.DONE
    assert_whole(store, run_id)
    assert_same(store, run_id, uninterrupted)
    assert_pages_open(run_id, PAGES if moment == "first step" else ())


def test_a_run_killed_while_it_is_cancelled_is_cancelled(store: Store) -> None:
    run_id = control.start(store, ENDLESS)
    wait_until(lambda: store.events(run_id, "step"))
    process = the_run(store, run_id)
    process.suspend()
    control.stop(store, run_id)
    assert store.run(run_id).state is State.CANCELLING
    kill(process)
    assert settled(store, run_id).state is State.CANCELLED
    assert_whole(store, run_id)


def test_the_next_in_line_starts_when_the_run_before_it_is_killed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    short_training(monkeypatch)
    with Watchman(store.home).on_guard():
        first, second = control.start(store, ENDLESS), control.start(store, SPEC)
        wait_until(lambda: store.events(first, "step"))
        assert store.run(second).state is State.QUEUED
        kill(the_run(store, first))
        assert settled(store, second).state is State.DONE
    assert store.run(first).state is State.CRASHED


STARTER = (
    "import sys; from tl_core.runner import control; from tl_core.runs.store import Store; from tl_core.spec import RunSpec; "
)
STARTER += "control.start(Store(), RunSpec.model_validate_json(sys.argv[1]))"


@pytest.mark.parametrize(("moment", "kept"), [("os.rename:spec.json", False), ("subprocess.Popen:serve", True)])
def test_whoever_presses_start_is_killed_while_it_starts_a_run(
    moment: str, kept: bool, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_training(monkeypatch)
    halt = Breakpoint.at(moment, tmp_path / "break", monkeypatch)
    with subprocess.Popen([sys.executable, "-c", STARTER, SPEC.model_dump_json()], cwd=ROOT):
        kill(halt.process())
    halt.remove()
    assert [run.state for run in store.runs()] == ([State.QUEUED] if kept else [])
    with Watchman(store.home).on_guard():
        again = control.start(store, SPEC)
        assert settled(store, again).state is State.DONE
    assert [run.attempts for run in store.runs()] == ([1, 1] if kept else [1])
    for run in store.runs():
        assert_whole(store, run.id)
        assert_pages_open(run.id)


LAUNCH = "subprocess.Popen:work"
RUNNER_MOMENTS = (
    "queued",
    "before the launch",
    "starting",
    "first step",
    "epoch end",
    "checkpoint write",
    *FINAL_WRITES,
    "pausing",
    "cancelling",
)


SHORT_LIST = {"before the launch", "checkpoint write", "cancelling"}


@pytest.mark.parametrize("moment", variants(RUNNER_MOMENTS, SHORT_LIST))
def test_a_killed_runner_is_not_missed(moment: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short_training(monkeypatch)
    stops = {"before the launch": LAUNCH, "starting": "import:tl_core.training.train", "checkpoint write": CHECKPOINT_WRITE}
    stops |= FINAL_WRITES | {"pausing": CHECKPOINT_WRITE, "cancelling": CHECKPOINT_WRITE}
    with Watchman(store.home).on_guard():
        blocker = control.start(store, ENDLESS) if moment == "queued" else None
        halt = Breakpoint.at(stops[moment], tmp_path / "break", monkeypatch) if moment in stops else None
        run_id = control.start(store, SPEC)
        if halt:
            halt.process()
        elif moment in EVENTS:
            wait_until(lambda: store.events(run_id, EVENTS[moment]))
        if moment == "pausing":
            control.pause(store, run_id)
        elif moment == "cancelling":
            control.stop(store, run_id)
        kill(runner_of(store))
        assert_whole(store, run_id)
        assert_pages_open(run_id)
        if halt:
            halt.remove()
        if blocker:
            control.stop(store, blocker)
        end = settled(store, run_id)
        assert end.state is {"pausing": State.PAUSED, "cancelling": State.CANCELLED}.get(moment, State.DONE)
        assert end.attempts == (2 if moment == "before the launch" else 1)
        if end.state is State.PAUSED:
            control.resume(store, run_id)
            assert settled(store, run_id).state is State.DONE
    assert_whole(store, run_id)
    assert len(store.events(run_id, "plan")) <= store.run(run_id).attempts
    assert service.is_there(store.home)
