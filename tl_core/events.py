"""What a run says while it works. An event is a plain value: stored as JSON, drawn by the pages."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Activity(StrEnum):
    """What a run, or a study, does at a moment. `tl_core.analysis.stage_titles` has the words for it."""

    STARTING = "starting"
    STARTING_PYTHON = "starting_python"
    STARTING_KERAS = "starting_keras"
    WAITING_FOR_CLUSTER = "waiting_for_cluster"
    READING_DATASET = "reading_dataset"
    FETCHING_DATASET = "fetching_dataset"
    LOADING_BACKBONE = "loading_backbone"
    LOADING_MODEL = "loading_model"
    READING_IMAGES = "reading_images"
    WAITING_FOR_FEATURES = "waiting_for_features"
    COMPUTING_FEATURES = "computing_features"
    MEASURING_GRADIENTS = "measuring_gradients"
    TRAINING = "training"
    TESTING = "testing"
    STORING = "storing"
    COMPARING_SPLITS = "comparing_splits"
    COMPARING_TESTS = "comparing_tests"
    PLACING_IMAGES = "placing_images"
    DRAWING_IMAGES = "drawing_images"
    COMPUTING_HEADS = "computing_heads"
    DRAWING_HEAT_MAPS = "drawing_heat_maps"
    LEAVING_OUT_WORDS = "leaving_out_words"
    CONVERTING = "converting"
    CHECKING_EXPORT = "checking_export"
    WAITING_AT_RUNG = "waiting_at_rung"
    OTHER = "other"
    """What this list does not have. What it is stands in the place of the phase, in somebody else's words."""


def encoded(activity: Activity, phase: str = "") -> str:
    """Return an activity, and the name of the phase that it belongs to, as one text for the store."""
    return f"{activity}:{phase}" if phase else str(activity)


def decoded(stage: str) -> tuple[Activity, str]:
    """Return the activity and the phase in a text of the store: the inverse of `encoded`. A text that holds no activity is
    `OTHER`, such as why an executor could not start the run."""
    name, _, phase = stage.partition(":")
    try:
        return Activity(name), phase
    except ValueError:
        return Activity.OTHER, stage


@dataclass(frozen=True)
class Event:
    """Something that happened in a run. `kind` names it in the store."""

    @property
    def kind(self) -> str:
        """Return the lower-case class name."""
        return type(self).__name__.lower()

    def values(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Stage(Event):
    """What the run does now, and in which phase. `done` is the share of all its work that lies behind it, 0..1; while it is
    `FETCHING_DATASET`, which nobody can weigh against the rest, it is that of the data. `images_per_second` is measured within
    this stage, None before the first batch."""

    activity: Activity
    done: float
    images_per_second: float | None = None
    phase: str = ""


@dataclass(frozen=True)
class Placement(Event):
    """On what Keras' `backend` computes: its `device` is "cpu" or "gpu". `unused` are the ids of GPUs that the run holds and the
    backend does not see."""

    backend: str
    device: str
    unused: tuple[str, ...] = ()


def _epochs_of(phase: Mapping[str, Any]) -> int:
    return 0 if phase.get("computed") else int(phase["epochs"])


@dataclass(frozen=True)
class Plan(Event):
    """The phases to come: name, epochs, steps an epoch, whether its head is computed, which earlier versions did not tell.
    `classes` is 0 in what early versions stored."""

    phases: tuple[dict[str, Any], ...]
    train_images: int
    validation_images: int
    test_images: int
    classes: int = 0

    @property
    def epochs(self) -> int:
        """Return the epochs of training of all phases; a computed head has none."""
        return sum(map(_epochs_of, self.phases))

    def trained(self, phase: str, epoch: int) -> int:
        """Return which of these epochs is number `epoch` of a phase."""
        names = [each["name"] for each in self.phases]
        place = names.index(phase)
        return sum(map(_epochs_of, self.phases[:place])) + min(epoch, _epochs_of(self.phases[place]))


@dataclass(frozen=True)
class Step(Event):
    """One batch: its own loss (nats, or what the run's task has) and accuracy (0..1; None where the task has none). `step` counts
    from 1 over the whole run and `epoch` from 1 within the phase."""

    phase: str
    epoch: int
    step: int
    loss: float
    accuracy: float | None
    images_per_second: float
    done: float


@dataclass(frozen=True)
class Epoch(Event):
    """One pass over the training images; the validation numbers are None where there are no validation images, and accuracies
    where the task has none. `validation_metric` is of the metric that decides the run, where that is not accuracy; earlier
    versions did not tell it."""

    phase: str
    epoch: int
    step: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    validation_metric: float | None = None


@dataclass(frozen=True)
class Checkpoint(Event):
    """A checkpoint will be written at `step`: what was reported until now must be kept before, since no resumed run will
    report it again. No reporter raises `Stopped` or `Paused` at this event."""

    step: int


@dataclass(frozen=True)
class Resumed(Event):
    """An interrupted run goes on after the step `step` (0: before its first): what was reported after it is void, and comes
    again. `done` is the share of the work that lies behind it."""

    step: int
    done: float


@dataclass(frozen=True)
class Telemetry(Event):
    """Use of the machine. Of the run's processes: percent of one core (may exceed 100), bytes of memory, and since the
    time `since` (seconds since 1970; another one after a pause) CPU seconds, bytes read from disks and written, joules of
    its GPUs. Of the machine: how many cores it has, percent of all of them, bytes of memory and of the home's disk, the
    kernel's out-of-memory kills since it started. `gpus` holds the fields of a `Gpu` each. None is "not measured"."""

    cpu_percent: float
    memory_bytes: int
    since: float | None = None
    cpu_seconds: float | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    energy_joules: float | None = None
    cores: int | None = None
    machine_cpu_percent: float | None = None
    memory_available_bytes: int | None = None
    memory_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    oom_kills: int | None = None
    gpus: tuple[dict[str, Any], ...] = ()


Reporter = Callable[[Event], None]
"""Takes events as they happen. It may raise `Stopped`, which ends the run at the batch it is at, and
`Paused`, after which the run goes on with the next one; the event that it was called with then counts as reported."""
