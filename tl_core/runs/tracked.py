"""Runs as trackers are told of them, and which of them have been sent where."""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from tl_core.backbones import backbones
from tl_core.errors import RunError, TrackingError
from tl_core.runs import groups
from tl_core.runs.artifacts import PREDICTIONS
from tl_core.runs.groups import StoredGroup
from tl_core.runs.schema import Run, StoredEvent
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import to_text
from tl_core.system.files import write_whole
from tl_core.system.settings import MODEL, RESULT, SPEC
from tl_core.trackers import Point, Status, TrackedGroup, TrackedRun, Tracker

FOLDER = "tracking"
"""Where it is kept in the home what has been sent."""
MOST_POINTS = 500
"""Of the batches of a run, and of its measurements of the machine: as many as a page draws."""
LIVE_SECONDS = 30.0
"""A run at work is sent again no sooner."""
MEGABYTE = 1e6
STATUSES = {
    State.DONE: Status.FINISHED,
    State.CANCELLED: Status.KILLED,
    State.FAILED: Status.FAILED,
    State.CRASHED: Status.FAILED,
}
"""Of a run that has ended; any other is scheduled until it has begun, and then runs."""
EPOCH = {"loss": "loss", "accuracy": "accuracy", "validation_loss": "val_loss", "validation_accuracy": "val_accuracy"}
"""The fields of an epoch's event, and what Keras calls them."""
STEP = {"loss": "batch_loss", "accuracy": "batch_accuracy", "images_per_second": "images_per_second"}
MACHINE = {
    "machine_cpu_percent": ("system/cpu_utilization_percentage", 1.0),
    "memory_bytes": ("system/process_memory_usage_megabytes", MEGABYTE),
    "memory_available_bytes": ("system/system_memory_available_megabytes", MEGABYTE),
    "disk_free_bytes": ("system/disk_available_megabytes", MEGABYTE),
    "energy_joules": ("system/energy_joules", 1.0),
}
GPU = {
    "percent": ("utilization_percentage", 1.0),
    "memory_bytes": ("memory_usage_megabytes", MEGABYTE),
    "watts": ("power_usage_watts", 1.0),
}
"""The fields of a measurement of the machine, what MLflow calls such, and by what it is divided."""


def send(store: Store, tracker: Tracker, wanted: Iterable[Run], sent: Mapping[str, int]) -> Iterator[Run]:
    """Send the `wanted` runs, and yield each once it is there and that is kept. One that cannot be sent stands in no other's way.
    Raises `TrackingError` at the end where one could not, and at once where two in a row could not."""
    now, group_of = dict(sent), _groups(store)
    failed: TrackingError | None = None
    went_well = True
    for run in wanted:
        try:
            tracker.send(tracked(store, run, group_of.get(run.id)))
        except TrackingError as error:
            failed = error
            if not went_well:
                break
            went_well = False
            continue
        went_well = True
        now[run.id] = run.revision
        _keep_sent(store, tracker, now)
        yield run
    if failed:
        raise failed


def register_model(store: Store, tracker: Tracker, run: Run, name: str) -> int:
    """Make the network of a finished `run` a version of the registered model `name`, and return its number. Raises `RunError`
    where it has no model, `SettingError` and `TrackingError`."""
    file = store.folder(run.id) / MODEL
    if run.state is not State.DONE or not file.is_file():
        raise RunError("This run has no model.", "Only a finished run has one.", received=run.id)
    backbones.build(run.spec.backbone).require_layers("A registered model", "Send the run without its model.")
    return tracker.register_model(tracked(store, run, _groups(store).get(run.id)), file, name)


def behind(store: Store, sent: Mapping[str, int]) -> list[Run]:
    """Return the runs that have changed since they were sent, the oldest first; those that never began are not sent."""
    changed = [run for run in store.runs() if run.started is not None and sent.get(run.id) != run.revision]
    return sorted(changed, key=lambda run: run.number)


def sent_to(store: Store, tracker: Tracker) -> dict[str, int]:
    """Return the revision of each run with which it was sent to `tracker` last, by its id."""
    try:
        found = json.loads(_file(store, tracker).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # all are sent again, which changes nothing there
    return {str(name): int(revision) for name, revision in found.items()} if isinstance(found, dict) else {}


def tracked(store: Store, run: Run, group: StoredGroup | None) -> TrackedRun:
    """Return what trackers are told of `run`, which belongs to `group`."""
    folder = store.folder(run.id)
    return TrackedRun(
        id=run.id,
        title=run.name or f"{run.spec.strategy.name} {run.id}",
        note=run.note,
        group=TrackedGroup(group.id, group.group.name) if group else None,
        status=STATUSES.get(run.state, Status.SCHEDULED if run.started is None else Status.RUNNING),
        created=run.started or run.created,
        ended=run.ended if run.state.ended else None,
        settings={name: to_text(value) for name, value in run.spec.dotted().items()},
        tags=_tags(run),
        points=tuple(_points(store, run)),
        files=tuple(file for name in (SPEC, RESULT, PREDICTIONS) if (file := folder / name).is_file()),
    )


def _tags(run: Run) -> dict[str, str]:
    known = {"device": run.device, "error": run.error, "test_digest": run.test_digest, "state": str(run.state)}
    known["tags"] = ", ".join(run.tags)  # as one value: a name there may not hold every letter
    return {f"transfer_lab.{name}": value for name, value in known.items() if value}


def _points(store: Store, run: Run) -> Iterator[Point]:
    for event in store.events(run.id, "epoch"):
        yield from _named(event, EPOCH, event.data["step"])
        if (value := event.data.get("validation_metric")) is not None:
            yield Point(f"val_{run.spec.metric.name}", value, event.data["step"], event.at)
    for event in store.events(run.id, "step", most=MOST_POINTS):
        yield from _named(event, STEP, event.data["step"])
    for event in store.events(run.id, "telemetry", most=MOST_POINTS):
        yield from _of_machine(event, max(0, round(event.at - (run.started or run.created))))
    yield from _of_test(run)


def _named(event: StoredEvent, names: Mapping[str, str], step: int) -> Iterator[Point]:
    for field, name in names.items():
        if event.data.get(field) is not None:
            yield Point(name, float(event.data[field]), step, event.at)


def _of_machine(event: StoredEvent, step: int) -> Iterator[Point]:
    """Yield what was measured of the machine, where a step is a second of the run."""
    named = dict(_scaled(event.data, MACHINE))
    for number, gpu in enumerate(event.data.get("gpus", ())):
        named |= {f"system/gpu_{number}_{name}": value for name, value in _scaled(gpu, GPU)}
    yield from (Point(name, value, step, event.at) for name, value in named.items())


def _scaled(data: Mapping[str, Any], names: Mapping[str, tuple[str, float]]) -> Iterator[tuple[str, float]]:
    return ((name, data[field] / unit) for field, (name, unit) in names.items() if data.get(field) is not None)


def _of_test(run: Run) -> Iterator[Point]:
    """Yield the numbers of a finished run: of its test with their intervals, and what it took."""
    at = run.ended or run.changed
    for metric in run.metrics:
        ends = {"": metric.value, "_low": metric.low, "_high": metric.high}
        named = {f"test_{metric.name}{end}": value for end, value in ends.items() if value is not None and isfinite(value)}
        yield from (Point(name, value, 0, at) for name, value in named.items())
    took = {"seconds": run.seconds, "trainable_parameters": run.trainable_parameters, "total_parameters": run.total_parameters}
    yield from (Point(name, float(value), 0, at) for name, value in took.items() if value is not None)


def _groups(store: Store) -> dict[str, StoredGroup]:
    """Return a group of each run that has one: the oldest."""
    return {run_id: group for group in groups.listed(store) for run_id in group.runs}


def _keep_sent(store: Store, tracker: Tracker, sent: Mapping[str, int]) -> None:
    file = _file(store, tracker)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, lambda path: path.write_text(json.dumps(sent), encoding="utf-8"))


def _file(store: Store, tracker: Tracker) -> Path:
    """Return where it is kept what was sent to `tracker`: a file for each place."""
    return (
        store.home
        / FOLDER
        / f"{sha256(tracker.model_copy(update={'to': tracker.place}).model_dump_json().encode()).hexdigest()[:16]}.json"
    )
