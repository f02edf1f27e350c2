"""What a run says while it works. An event is a plain value: stored as JSON, drawn by the pages."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened in a run. `kind` names it in the store."""

    @property
    def kind(self) -> str:
        """The lower-case class name."""
        return type(self).__name__.lower()

    def values(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Stage(Event):
    """What the run does now. `done` is the share of all its work that lies behind it, 0..1;
    `images_per_second` is measured within this stage, None before the first batch."""

    title: str
    done: float
    images_per_second: float | None = None


@dataclass(frozen=True)
class Plan(Event):
    """The phases to come: name, epochs, steps an epoch."""

    phases: tuple[dict[str, Any], ...]
    train_images: int
    validation_images: int
    test_images: int


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
class Telemetry(Event):
    """Use of the machine by the run: percent of one core (may exceed 100), bytes of memory; the GPU's own
    figures (percent, bytes), None where there is no GPU."""

    cpu_percent: float
    memory_bytes: int
    gpu_percent: float | None = None
    gpu_memory_bytes: int | None = None


Reporter = Callable[[Event], None]
"""Takes events as they happen. It may raise `Stopped`, which ends the run at the batch it is at."""
