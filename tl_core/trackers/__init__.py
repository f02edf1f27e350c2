"""Trackers: other people's records of experiments, to which runs are sent beside their own store. A tracker is one module of this
package.

A tracker knows how a run is written there, so that to write it again changes nothing. It knows nothing of the store, and is never
on the path of a training step. To be listed it needs nothing of what it writes with.
"""

import importlib.util
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from pydantic import Field

from tl_core.errors import SettingError
from tl_core.registry import Part, Registry

__all__ = ["Point", "Status", "TrackedGroup", "TrackedRun", "Tracker", "build", "configured", "register", "trackers"]

INSTALL = "pip install -r requirements-tracking.txt"


class Status(StrEnum):
    """How a run stands, in MLflow's words."""

    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Point(NamedTuple):
    """A number of a run: the name of the metric, its value, the training step that it belongs to, and when it was told (seconds
    since 1970)."""

    name: str
    value: float
    step: int
    at: float


class TrackedGroup(NamedTuple):
    """The group that a run belongs to."""

    id: str
    title: str


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers are told of it. Times are seconds since 1970, `ended` is None until it has come to rest.

    `settings` are those of its spec by their dotted names, `tags` what else is known of it, `points` its numbers in the order in
    which they were told, and `files` those of its folder that can be read elsewhere.
    """

    id: str
    title: str
    note: str
    group: TrackedGroup | None
    status: Status
    created: float
    ended: float | None
    settings: Mapping[str, str]
    tags: Mapping[str, str]
    points: tuple[Point, ...]
    files: tuple[Path, ...]


class Tracker(Part, ABC):
    """Somebody else's record of experiments. Its docstring says what it is for."""

    variable: ClassVar[str]
    """The environment variable that says where it is; where it is set, the runner sends each run there."""
    needs: ClassVar[tuple[str, ...]]
    """Modules without which nothing can be written there."""
    to: str | None = Field(None, title="To", description="Where it is; empty is what the environment says.")

    @classmethod
    def configured(cls) -> Self | None:
        """Return the tracker that the environment names; None where it names none."""
        place = os.environ.get(cls.variable, "").strip()
        return cls(to=place) if place else None

    @property
    def place(self) -> str:
        """Return where it is. Raises `SettingError` where neither `to` nor the environment says so."""
        place = self.to or os.environ.get(self.variable, "").strip()
        if not place:
            raise SettingError(f"{self.title} has no place.", f"Give --set tracker.to=PLACE, or set {self.variable}.")
        return place

    def require_installed(self) -> None:
        """Raise `SettingError` where a module is missing."""
        missing = next((name for name in self.needs if importlib.util.find_spec(name) is None), None)
        if missing:
            raise SettingError(f"{self.title} needs {missing}, which is not installed.", f"Run: {INSTALL}", received=self.name)

    @abstractmethod
    def send(self, run: TrackedRun) -> None:
        """Write `run` as it now is; what was written of it before is completed, and nothing is there twice. Raises
        `TrackingError` where that cannot be done now."""

    def register_model(self, run: TrackedRun, file: Path, name: str) -> int:
        """Make the network in `file` of `run` the next version of the registered model `name`, and return its number: the one
        that it has, where it has one. Raises `TrackingError`, and `SettingError` where there are no registered models."""
        raise SettingError(f"{self.title} has no registered models.", "Name another tracker.", received=name)


trackers: Registry[Tracker] = Registry("tracker", "tl_core.trackers")
register = trackers.register
build = trackers.build


def configured() -> tuple[Tracker, ...]:
    """Return the trackers that the environment names."""
    return tuple(found for part in trackers.parts().values() if (found := part.configured()))
