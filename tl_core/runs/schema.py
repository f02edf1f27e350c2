"""What the store keeps, as plain values: the rows of its tables."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from tl_core import former
from tl_core.errors import SettingError
from tl_core.groups.halving import LeftAt
from tl_core.result import MetricValue
from tl_core.runs.states import State
from tl_core.runs.tables import runs
from tl_core.spec import RunSpec

WAITS = (State.QUEUED, State.STARTING)
"""States that the clock of waiting counts."""
RUNS = (State.RUNNING, State.PAUSING, State.CANCELLING)
"""States that the clock of running counts."""


_others = runs.alias()
LAST = sa.select(sa.func.coalesce(sa.func.max(_others.c.place), 0.0) + 1).scalar_subquery()
"""The place behind all that there were."""


class Priority(IntEnum):
    """Which of two waiting runs goes first, whenever they were queued."""

    LOW = -1
    NORMAL = 0
    HIGH = 1


@dataclass(frozen=True)
class Run:
    """A run as the store knows it. Times are seconds since 1970; from `correct` to `total_parameters`, fields are None until it
    is done.

    `number` grows from run to run, and `revision` with each change of any run. Both are counted by the store, and order runs and
    what is known of them; times do not, for clocks are set back. `state_revision` is the revision of its last change of state.
    `changed` is when its state last changed. `waited` and `ran` are the two clocks, in seconds up to that moment:
    waiting for a device and for Python, and training. `attempts` counts how often a process was launched for it. `device`
    is what the present or last one held, and for a run that is done what computed. `handle` is its process id (or its name in a
    cluster), and `collected` how many bytes of its letters have been read (`runs.mailbox`). `stage` is what it does, as
    `events.encoded` has it, or why it could not be started, in words. `done` is the share of its work that lies behind it
    (0..1), and `seconds` the wall seconds inside `train`. `unreadable` says what of its stored settings this version cannot
    read, if anything; `spec` has defaults there, and the run is shown but not done.
    From `name` to `note` are what people say of it (`runs.labels`); an archived one is left out of the lists. `disk_bytes` is
    what its folder takes, None until that was measured: after it has come to rest. `metrics` are those of the test images, none
    until it is done, and none of runs of before they were measured. `repeats` is the id of the run that it was
    started to train again, if any; that one may have been deleted. `rung` is after how many epochs of training it pauses by
    itself, to be held against other runs of its group, and `left_at` what that said where it is not to go on.
    """

    id: str
    spec: RunSpec
    state: State
    created: float
    started: float | None
    ended: float | None
    changed: float
    waited: float
    ran: float
    priority: Priority
    place: float
    attempts: int
    unreadable: str | None
    environment: dict[str, str]
    device: str | None
    handle: str | None
    collected: int
    stage: str
    done: float
    images_per_second: float | None
    error: str | None
    error_kind: str | None
    correct: int | None
    test_images: int | None
    test_digest: str | None
    seconds: float | None
    trainable_parameters: int | None
    total_parameters: int | None
    number: int
    revision: int
    state_revision: int
    name: str
    tags: tuple[str, ...]
    starred: bool
    archived: bool
    note: str
    disk_bytes: int | None
    metrics: tuple[MetricValue, ...]
    repeats: str | None
    rung: int | None
    left_at: LeftAt | None

    @property
    def accuracy(self) -> float | None:
        """Return the share of test images classified correctly, 0..1; None until the run is done."""
        return None if self.correct is None or not self.test_images else self.correct / self.test_images

    def waiting_seconds(self, now: float) -> float:
        """Return the seconds that it has waited until `now` (seconds since 1970), pauses not counted."""
        return self.waited + (max(0.0, now - self.changed) if self.state in WAITS else 0.0)

    def running_seconds(self, now: float) -> float:
        """Return the seconds that it has trained until `now` (seconds since 1970), pauses not counted."""
        return self.ran + (max(0.0, now - self.changed) if self.state in RUNS else 0.0)


_READ = ("spec", "unreadable", "state", "priority", "tags", "metrics", "left_at")
_COLUMNS = tuple(field.name for field in fields(Run) if field.name not in _READ)


def run_of(row: sa.RowMapping) -> Run:
    """Return a row of `runs` as a value."""
    spec, unreadable = _settings(row["spec"])
    values = {name: row[name] for name in _COLUMNS}
    values |= {"state": State(row["state"]), "priority": Priority(row["priority"]), "tags": tuple(row["tags"])}
    values |= {"stage": former.stage(row["stage"]), "metrics": tuple(map(MetricValue.model_validate, row["metrics"]))}
    values |= {"left_at": row["left_at"] and LeftAt.model_validate(row["left_at"])}
    return Run(spec=spec, unreadable=unreadable, **values)


def queued(
    run_id: str,
    spec: RunSpec,
    *,
    priority: Priority = Priority.NORMAL,
    environment: Mapping[str, str] | None = None,
    repeats: str | None = None,
    rung: int | None = None,
) -> sa.Insert:
    """Return the statement that keeps a new run, at the end of the line of its priority.

    Args:
        run_id, spec: The run.
        priority: Where it waits.
        environment: The variables that its process is given.
        repeats: The id of the run that it repeats.
        rung: The epochs after which it pauses by itself.
    """
    now = time.time()
    return runs.insert().values(
        id=run_id,
        spec=spec.model_dump(mode="json"),
        state=State.QUEUED,
        created=now,
        changed=now,
        place=LAST,
        priority=priority,
        environment=dict(environment or {}),
        repeats=repeats,
        rung=rung,
    )


def _settings(stored: dict[str, Any]) -> tuple[RunSpec, str | None]:
    """Return settings as they were stored, and what cannot be read of them: one run of another version hides no other run."""
    try:
        return RunSpec.parse(stored), None
    except SettingError as error:
        return RunSpec.salvage(stored), f"Another version of Transfer Lab stored this run's settings. {error}"


@dataclass(frozen=True)
class Changes:
    """What has changed since an earlier look: runs that are new or other, the newest first, ids of deleted ones, and the revision
    after which the next look goes on."""

    runs: list[Run]
    deleted: list[str]
    revision: int


@dataclass(frozen=True)
class StoredEvent:
    """An event as it was stored: its number, when it happened, its kind, and its fields."""

    id: int
    at: float
    kind: str
    data: dict[str, Any]


def clocks(now: float) -> dict[str, sa.ColumnElement[float]]:
    """Return both clocks set forward to `now` (seconds since 1970), for the state that is being left."""
    passed = sa.func.max(0.0, now - runs.c.changed)
    return {
        "waited": runs.c.waited + sa.case((runs.c.state.in_(WAITS), passed), else_=0.0),
        "ran": runs.c.ran + sa.case((runs.c.state.in_(RUNS), passed), else_=0.0),
    }
