"""What the runner and the process of a run write to each other where they share no store, as it stands in their files."""

import contextlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from tl_core.result import MetricValue
from tl_core.runs.states import State

WISH, LETTERS = "wish.json", "letters.jsonl"


class Command(BaseModel):
    """What the runner tells the process: the attempt that counts, and the state and the rung of the run in the store."""

    attempt: int
    state: State
    rung: int | None = None


class Values(BaseModel):
    """What a process may say of its run; anything else is not heard."""

    stage: str = ""
    done: float = 0.0
    images_per_second: float | None = None
    started: float | None = None
    error: str | None = None
    error_kind: str | None = None
    correct: int | None = None
    test_images: int | None = None
    test_digest: str | None = None
    seconds: float | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    metrics: tuple[MetricValue, ...] = ()


class Message(BaseModel):
    """One line: events (time, kind, fields), a step after which all is void, a state to come to, and values."""

    events: list[tuple[float, str, dict[str, Any]]] = []
    forget_after: int | None = None
    leaving: list[State] = []
    to: State | None = None
    values: Values = Field(default_factory=Values)


def read_wish(folder: Path) -> Command | None:
    """Return the wish in the folder of a run; None where there is none yet, or where it cannot be read now."""
    with contextlib.suppress(OSError, ValueError):
        return Command.model_validate_json((folder / WISH).read_bytes())
    return None
