"""A run's checkpoint: all that decides how it goes on, in a folder of plain arrays and one JSON text.

`state.npz` is replaced by each new checkpoint, and written whole, so that a process that is killed while it writes leaves the
former one. What a frozen backbone gave is in the cache of activations.
"""

import json
import math
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, TypeAdapter

from tl_core import former
from tl_core.errors import RunError, StorageError
from tl_core.precision import Precision, StoredPrecision
from tl_core.result import PhaseRecord
from tl_core.system import settings
from tl_core.system.files import sweep, write_whole
from tl_core.training.loop import Progress
from tl_core.training.values import Arrays

STATE = "state.npz"
GROUPS = ("variables", "optimizer", "best", "winner")
"""The fields of a `Snapshot` that are arrays."""
COST_FACTOR = 50
"""Between two checkpoints lies at least so many times what one takes: they cost 2 % of the time at most."""
DAMAGED = (OSError, EOFError, ValueError, LookupError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)
"""What reading a file raises that was cut off or changed."""


@dataclass(frozen=True)
class TrialResult:
    """A trial that is over: the name of its phase, the validation loss and the accuracy with which it ended, and the score of the
    metric that decides, where one does."""

    name: str
    loss: float
    accuracy: float | None
    score: float | None = None


@dataclass
class TrainingState:
    """What a run has behind it: how far it has come, the finished phases, the paths that ever trained, wall seconds by stage
    (`events.encoded`), how often it was interrupted and went on, the learning rates that the present phase has measured, by
    path, what it computes in once that is decided, and the best of the trials so far."""

    progress: Progress
    records: list[PhaseRecord] = field(default_factory=list)
    ever_trained: set[str] = field(default_factory=set)
    seconds: Annotated[dict[str, float], BeforeValidator(former.stages)] = field(default_factory=dict)
    resumed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    precision: StoredPrecision = Precision.AUTO
    best_trial: TrialResult | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything that decides how a run goes on.

    `identity` says which run it is: network, data and plan, each in plain values. `variables` are the model's and
    `optimizer` the optimizer's (empty before the first step of a phase), `before` the digests of what the present phase
    leaves alone, `random` the states of the random generators, `best` the model's variables at the best epoch of a phase
    that may end early, `winner` those with which the best of the trials ended.
    """

    identity: dict[str, Any]
    state: Annotated[TrainingState, Field(alias="account")]  # its name in the file
    before: dict[str, str]
    random: dict[str, Any]
    variables: Arrays
    optimizer: Arrays
    best: Arrays = ()
    winner: Arrays = ()

    def difference(self, identity: dict[str, Any]) -> str | None:
        """Return the first name under which `identity` has another value, None where this is a state of that run."""
        return next((name for name, value in identity.items() if self.identity.get(name) != value), None)


class Checkpoints:
    """The checkpoint folder of one run. At most one process at a time writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._every = settings.checkpoint_seconds()
        self._cost = 0.0
        self._last = time.monotonic()

    def due(self) -> bool:
        """Return whether enough time has passed since the last checkpoint for another one."""
        return time.monotonic() - self._last >= max(self._every, COST_FACTOR * self._cost)

    def save(self, take: Callable[[], Snapshot]) -> None:
        """Save the snapshot that `take` gives in place of the former one; what both cost together says when the next is due.

        Raises `StorageError`, and then the former one is still there.
        """
        started = time.monotonic()
        snapshot = take()
        plain = TypeAdapter(Snapshot).dump_python(snapshot, mode="json", by_alias=True, exclude=set(GROUPS))
        arrays = {"plain": np.array(json.dumps(plain))}
        for name in GROUPS:
            arrays |= _named(name, getattr(snapshot, name))
        self._write(arrays)
        self._last = time.monotonic()
        self._cost = self._last - started

    @property
    def any(self) -> bool:
        """Return whether there is one, usable or not."""
        return (self.folder / STATE).is_file()

    def load(self) -> Snapshot | None:
        """Return the snapshot, None where there is none. Raises `RunError` where it cannot be read as a whole.

        The next one is due at once: a run that goes on should not have to go on from the same place again.
        """
        arrays = self._read()
        if arrays is None:
            return None
        self._last = -math.inf
        try:
            plain = json.loads(str(arrays["plain"]))
            groups = {name: _group(name, arrays) for name in GROUPS if name in arrays or name != "winner"}
            return TypeAdapter(Snapshot).validate_python(plain | groups)
        except (KeyError, TypeError, ValueError) as error:
            raise unusable(_in_a_line(error), self.folder / STATE) from None

    def clear(self) -> None:
        """Remove the whole folder: for a run that has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, arrays: dict[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            sweep(self.folder / STATE)
        except OSError as error:
            raise StorageError(
                f"No checkpoint can be kept ({error}).", "Make the folder writable.", received=self.folder
            ) from error
        write_whole(self.folder / STATE, lambda path: np.savez(path, **arrays))

    def _read(self) -> dict[str, Any] | None:
        path = self.folder / STATE
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()  # NumPy trusts a header before its checksum is known
            if damaged:
                raise zipfile.BadZipFile(f"{damaged} is damaged")
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        except FileNotFoundError:
            return None
        except DAMAGED as error:
            raise unusable(_in_a_line(error), path) from None


def _named(prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Return `arrays` under names, and how many there are."""
    return {prefix: np.array(len(arrays))} | {f"{prefix} {index}": array for index, array in enumerate(arrays)}


def _group(prefix: str, arrays: dict[str, Any]) -> Arrays:
    """Return the arrays that `_named` named `prefix`; a missing one is a `KeyError`."""
    return tuple(arrays[f"{prefix} {index}"] for index in range(int(arrays[prefix])))


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def unusable(reason: str, received: object) -> RunError:
    """Return the error of a checkpoint from which nothing can go on, and why."""
    return RunError(
        f"The checkpoint of this run cannot be used ({reason}).", "Start the run again from its settings.", received=received
    )
