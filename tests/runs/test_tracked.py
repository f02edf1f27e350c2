"""What trackers are told of a run, and that each change of it is sent once."""

from pathlib import Path

import pytest

from tests.helpers import QUICK, keep_run
from tl_core.errors import RunError, TrackingError
from tl_core.events import Epoch, Step, Telemetry
from tl_core.metrics import MetricValue
from tl_core.result import Better
from tl_core.runs import tracked
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.trackers import Status, TrackedRun, Tracker

GPU = {"uuid": "GPU-1", "name": "GPU", "percent": 90.0, "memory_bytes": 2_000_000, "memory_total_bytes": None, "watts": None}
SCORE = MetricValue(name="accuracy", value=0.75, low=0.5, high=0.9, n=8, better=Better.HIGHER)


class Kept(Tracker):
    """A list, which refuses the runs that it is told to."""

    name = "kept"
    title = "Kept"
    variable = "TRANSFER_LAB_KEPT"
    needs = ()

    def send(self, run: TrackedRun) -> None:
        if run.id in (Path(self.place) / "refused").read_text(encoding="utf-8").split():
            raise TrackingError("It is not there.", "Wait.", received=run.id)
        with (Path(self.place) / "sent").open("a", encoding="utf-8") as file:
            file.write(f"{run.id}\n")


@pytest.fixture
def tracker(tmp_path: Path) -> Kept:
    (tmp_path / "sent").touch()
    refuse(tmp_path)
    return Kept(to=str(tmp_path))


def refuse(folder: Path, *run_ids: str) -> None:
    (folder / "refused").write_text(" ".join(run_ids), encoding="utf-8")


def begin(store: Store, run_id: str) -> None:
    keep_run(store, run_id, State.RUNNING, started=1.0)


def pass_over(store: Store, tracker: Tracker) -> list[str]:
    """The ids of the runs that were sent now."""
    sent = tracked.sent_to(store, tracker)
    return [run.id for run in tracked.send(store, tracker, tracked.behind(store, sent), sent)]


def test_a_run_is_told_by_the_names_that_keras_and_mlflow_have(home: Path) -> None:
    store = Store()
    begin(store, "one")
    epoch = Epoch("head", 1, 2, 0.5, 0.75, 0.6, 0.8, 1.0)
    machine = Telemetry(150.0, 3_000_000, machine_cpu_percent=40.0, gpus=(GPU,))
    store.record("one", [(10.0, Step("head", 1, 1, 0.7, None, 50.0, 0.1)), (20.0, epoch), (30.0, machine)])
    run = tracked.tracked(store, store.run("one"), None)
    found = {point.name: (point.value, point.step) for point in run.points}
    assert (run.status, run.ended, run.group) == (Status.RUNNING, None, None)
    assert found["loss"] == (0.5, 2)
    assert found["val_loss"] == (0.6, 2)
    assert "val_accuracy" in found
    assert found["batch_loss"] == (0.7, 1)
    assert "batch_accuracy" not in found
    assert found["system/cpu_utilization_percentage"][0] == 40.0
    assert found["system/process_memory_usage_megabytes"][0] == 3.0
    assert found["system/gpu_0_memory_usage_megabytes"][0] == 2.0
    assert "system/gpu_0_power_usage_watts" not in found
    assert run.settings["dataset"] == QUICK.dataset.name
    assert run.settings["seed"] == str(QUICK.seed)


def test_a_finished_run_is_told_with_its_test_and_its_interval(home: Path) -> None:
    store = Store()
    keep_run(store, "one", State.DONE, started=1.0, metrics=[SCORE.model_dump(mode="json")], seconds=2.0)
    run = tracked.tracked(store, store.run("one"), None)
    found = {point.name: point.value for point in run.points}
    assert run.status is Status.FINISHED
    assert run.ended
    assert (found["test_accuracy"], found["test_accuracy_low"], found["test_accuracy_high"]) == (0.75, 0.5, 0.9)
    assert found["seconds"] == 2.0


def test_each_change_is_sent_once_the_oldest_run_first(home: Path, tracker: Kept) -> None:
    store = Store()
    for name in ("a", "b"):
        begin(store, name)
    keep_run(store, "waits")
    assert pass_over(store, tracker) == ["a", "b"]
    assert pass_over(store, tracker) == []
    store.change_state("a", (State.RUNNING,), State.DONE)
    assert pass_over(store, tracker) == ["a"]
    assert pass_over(store, Kept(to=f"{tracker.place}/.")) == ["a", "b"]  # somewhere else


def test_a_run_that_cannot_be_sent_stands_in_no_others_way_and_is_sent_later(home: Path, tracker: Kept) -> None:
    store = Store()
    for name in ("a", "b", "c"):
        begin(store, name)
    refuse(Path(tracker.place), "a")
    with pytest.raises(TrackingError, match="It is not there"):
        pass_over(store, tracker)
    refuse(Path(tracker.place))
    assert pass_over(store, tracker) == ["a"]


def test_where_two_in_a_row_fail_the_others_are_not_tried(home: Path, tracker: Kept) -> None:
    store = Store()
    for name in ("a", "b", "c"):
        begin(store, name)
    refuse(Path(tracker.place), "a", "b")
    with pytest.raises(TrackingError):
        pass_over(store, tracker)
    assert (Path(tracker.place) / "sent").read_text(encoding="utf-8") == ""


def test_what_was_sent_is_asked_for_again_where_that_cannot_be_read(home: Path, tracker: Kept) -> None:
    store = Store()
    begin(store, "a")
    assert pass_over(store, tracker) == ["a"]
    (file,) = (home / tracked.FOLDER).iterdir()
    file.write_text("{", encoding="utf-8")
    assert pass_over(store, tracker) == ["a"]


def test_a_run_without_a_model_is_no_version_of_one(home: Path, tracker: Kept) -> None:
    store = Store()
    begin(store, "a")
    with pytest.raises(RunError, match="no model"):
        tracked.register_model(store, tracker, store.run("a"), "name")
