"""What a run says while it works. An event is a plain value: stored as JSON, drawn by the pages."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

FETCHING = "Fetching the dataset"
"""How the title of a stage begins in which a run waits for the network."""


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
    """What the run does now. `done` is the share of all its work that lies behind it, 0..1; while it is `FETCHING` data, which
    nobody can weigh against the rest, it is that of the data. `images_per_second` is measured within this stage, None before the
    first batch."""

    title: str
    done: float
    images_per_second: float | None = None


@dataclass(frozen=True)
class Placement(Event):
    """On what Keras' `backend` computes: its `device` is "cpu" or "gpu". `unused` are the ids of GPUs that the run holds and the
    backend does not see."""

    backend: str
    device: str
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan(Event):
    """The phases to come: name, epochs, steps an epoch. `classes` is 0 in what early versions stored."""

    phases: tuple[dict[str, Any], ...]
    train_images: int
    validation_images: int
    test_images: int
    classes: int = 0


@dataclass(frozen=True)
class Step(Event):
    """One batch: its own loss (nats) and accuracy (0..1). `step` counts from 1 over the whole run and `epoch`
    from 1 within the phase."""

    phase: str
    epoch: int
    step: int
    loss: float
    accuracy: float
    images_per_second: float
    done: float


@dataclass(frozen=True)
class Epoch(Event):
    """One pass over the training images; the validation numbers are None where there are no validation images."""

    phase: str
    epoch: int
    step: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float


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
