"""Runs that are interrupted and go on, and what they must have in common with one that never was."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tl_core.errors import Paused
from tl_core.events import Activity, Epoch, Event, Resumed, Stage, Step
from tl_core.features.cache import ActivationCache
from tl_core.result import FrozenPartRecord, Outcome, Result
from tl_core.spec import RunSpec
from tl_core.training.checkpoints import Checkpoints
from tl_core.training.freezing import digests
from tl_core.training.train import train

Moment = Callable[[list[Event]], bool]
"""Whether a run is to be paused at the last of these events of it."""


class Attempt(list[Event]):
    """A reporter that keeps what it is told, and pauses the run at the first event that is the `moment`.

    With each step it draws from the global generators, as a part might.
    """

    def __init__(self, moment: Moment = lambda events: False) -> None:
        super().__init__()
        self._moment = moment
        self.drawn: list[tuple[float, float]] = []

    def __call__(self, event: Event) -> None:
        self.append(event)
        if isinstance(event, Step):
            self.drawn.append((random.random(), np.random.normal()))
        if self._moment(self):
            raise Paused


def at(kind: type[Event], number: int = 1) -> Moment:
    """The `number`th event of a kind in an attempt."""
    return lambda events: isinstance(events[-1], kind) and sum(isinstance(event, kind) for event in events) == number


def at_step(step: int) -> Moment:
    """The step of that number, as the run counts them."""
    return lambda events: isinstance(events[-1], Step) and events[-1].step == step


def at_epoch_after(step: int) -> Moment:
    """The end of the epoch whose last step has that number."""
    return lambda events: isinstance(events[-1], Epoch) and events[-1].step == step


def at_stage(activity: Activity, number: int = 1, *, phase: str = "") -> Moment:
    """The `number`th report of a stage in an attempt."""

    def is_it(event: Event) -> bool:
        return isinstance(event, Stage) and (event.activity, event.phase) == (activity, phase)

    return lambda events: is_it(events[-1]) and sum(map(is_it, events)) == number


def at_event(number: int) -> Moment:
    """The event of that number in an attempt, from 1."""
    return lambda events: len(events) == number


def in_attempts(spec: RunSpec, folder: Path, moments: Sequence[Moment]) -> tuple[list[Attempt], Outcome]:
    """`spec` paused at each of `moments`, an attempt each, and then left alone until it is finished."""
    attempts = [Attempt(moment) for moment in moments]
    cache = ActivationCache(folder.with_name(f"{folder.name}-cache"), 10**9)
    for attempt in attempts:
        with pytest.raises(Paused):
            train(spec, attempt, Checkpoints(folder), cache=cache)
    attempts.append(Attempt())
    return attempts, train(spec, attempts[-1], Checkpoints(folder), cache=cache)


def told(events: Sequence[Event]) -> list[Event]:
    """The steps and epochs, without what a clock says of them."""
    steps = [replace(event, images_per_second=0.0) if isinstance(event, Step) else event for event in events]
    return [
        replace(event, seconds=0.0) if isinstance(event, Epoch) else event for event in steps if isinstance(event, Step | Epoch)
    ]


def resumed_at(attempts: Sequence[Attempt]) -> list[int]:
    """The steps after which the attempts went on, in order."""
    return [event.step for attempt in attempts for event in attempt if isinstance(event, Resumed)]


def require_same_outcome(one: Outcome, other: Outcome) -> None:
    """Fail unless the two are equal bit for bit, in all but what a clock says and how often they were interrupted."""
    assert digests(one.model) == digests(other.model)
    for name, array in vars(one.predictions).items():
        np.testing.assert_array_equal(getattr(other.predictions, name), array)
    assert plain(one) == plain(other)
    assert stages(one) == stages(other)


def stages(outcome: Outcome) -> list[tuple[Activity, str]]:
    """What its timings are of, in order."""
    return [(timing.activity, timing.phase) for timing in outcome.result.timings]


def plain(outcome: Outcome) -> Result:
    """The result without what a clock says, how often it was interrupted, and what the cache held."""
    phases = tuple(phase.model_copy(update={"frozen_part": FrozenPartRecord()}) for phase in outcome.result.phases)
    return outcome.result.model_copy(update={"timings": (), "resumed": 0, "phases": phases, "frozen_part": FrozenPartRecord()})


Whole = tuple[Attempt, Outcome]
"""A run that was never interrupted."""
