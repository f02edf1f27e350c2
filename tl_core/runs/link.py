"""What binds the process of a run to its store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tl_core.errors import SettingError
from tl_core.events import Event
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec


class Link(Protocol):
    """One attempt at one run, as its process sees it. Every method may raise `StorageError`."""

    folder: Path
    """Where its files go."""
    home: Path
    """Whose disk is watched."""

    def spec(self) -> RunSpec:
        """Return what is to be done. Raises `SettingError` where this version cannot read it."""
        ...

    def devices(self) -> tuple[str, ...]:
        """Return the ids of the devices that it holds; none where that is not known."""
        ...

    def state(self) -> State:
        """Return where the run stands, by the last word of the store."""
        ...

    def rung(self) -> int | None:
        """Return after how many epochs of training the run is to wait, to be held against others of its group; None for none."""
        ...

    def record(self, told: Sequence[tuple[float, Event]], **progress: Any) -> None:
        """Keep events (each with its time) and progress."""
        ...

    def forget_after(self, step: int) -> None:
        """Drop the events of training after `step`."""
        ...

    def change_state(self, leaving: Sequence[State], to: State, **values: Any) -> bool:
        """Move the run from one of `leaving` to `to`, with `values`, and return whether it was moved (compare-and-set, like the
        store's)."""
        ...


class StoreLink:
    """A link for a process on the machine of the store."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self.folder, self.home = store.folder(run_id), store.home

    def spec(self) -> RunSpec:
        """Return what is to be done. Raises `SettingError` where this version cannot read it."""
        run = self._store.run(self._run_id)
        if run.unreadable:
            raise SettingError(run.unreadable)
        return run.spec

    def devices(self) -> tuple[str, ...]:
        """Return the ids of the devices that the run holds."""
        device = self._store.run(self._run_id).device
        return (device,) if device else ()

    def state(self) -> State:
        """Return where the run stands."""
        return self._store.run(self._run_id).state

    def rung(self) -> int | None:
        """Return after how many epochs the run is to wait."""
        return self._store.run(self._run_id).rung

    def record(self, told: Sequence[tuple[float, Event]], **progress: Any) -> None:
        """Keep events and progress."""
        self._store.record(self._run_id, told, **progress)

    def forget_after(self, step: int) -> None:
        """Drop the events of training after `step`."""
        self._store.forget_after(self._run_id, step)

    def change_state(self, leaving: Sequence[State], to: State, **values: Any) -> bool:
        """Move the run by the store's own compare-and-set."""
        return self._store.change_state(self._run_id, leaving, to, **values)
