"""Runs of groups that are halved: how far each has come, what its validation images say there, and who goes on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from tl_core.events import Activity, Plan
from tl_core.groups import halving, statements
from tl_core.groups.halving import LeftAt
from tl_core.runs import compared
from tl_core.runs.seeds import settings_of
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store


@dataclass(frozen=True)
class Decision:
    """What becomes of a run that waits at its rung: why it is `left`, or else the `rung` at which it is looked at next, None
    where nothing is left that it would be held against."""

    run: Run
    rung: int | None = None
    left: LeftAt | None = None


@dataclass(frozen=True)
class _Standing:
    """How many epochs a run has trained, and what its validation images said after each of them, the larger the better."""

    epochs: int
    values: Mapping[int, float]

    def at(self, rung: int) -> float:
        """Return the last value up to a rung: that of a run which is shorter counts there, too."""
        return next((self.values[epoch] for epoch in sorted(self.values, reverse=True) if epoch <= rung), -inf)


def waits(run: Run) -> bool:
    """Return whether a run is paused on its way to a rung, or at it: nothing has been decided of it yet."""
    return run.state is State.PAUSED and run.rung is not None and run.left_at is None


def is_at_rung(run: Run) -> bool:
    """Return whether a run came to its rung and paused by itself, and not because somebody paused it on its way."""
    return waits(run) and run.stage == Activity.WAITING_AT_RUNG


def standing(run: Run) -> str:
    """Return in words how a run stands that waits at a rung, or was left there; empty where its state says all."""
    if run.left_at:
        return statements.left_after(run.left_at)
    return statements.waiting_after(run.rung) if run.rung is not None and is_at_rung(run) else ""


def not_tried_fully(runs: Sequence[Run]) -> Iterator[str]:
    """Yield which of a group's `runs` wait at a rung, and for what, and which were left at one."""
    at_rung = sum(map(is_at_rung, runs))
    yield from statements.waiting(at_rung, held_up_by=sum(map(waits, runs)) - at_rung)
    yield from statements.not_tried_fully([run.left_at for run in runs if run.left_at])


def moves(run: Run) -> bool:
    """Return whether a run may move on without anybody doing anything, or waits at a rung for others to come there."""
    return run.state.alive or waits(run)


def decisions(store: Store, runs: Iterable[Run]) -> list[Decision]:
    """Return what is to become of those of a group's `runs` that wait at a rung. Nothing is decided of a run before all that
    learn from the same data, for the same task and by the same metric, have come as far, failed, or were stopped."""
    brackets = defaultdict[str, list[Run]](list)
    for run in runs:
        if run.left_at is None and run.state not in (State.FAILED, State.CRASHED, State.CANCELLED):
            spec = run.spec
            brackets["".join(each.model_dump_json() for each in (spec.dataset.content, spec.task, spec.metric))].append(run)
    return [each for own in brackets.values() if any(map(waits, own)) for each in _decided(store, own)]


def _decided(store: Store, runs: Sequence[Run]) -> list[Decision]:
    rung = min(run.rung for run in runs if waits(run) and run.rung is not None)
    standing = {run.id: _standing(store, run) for run in runs}
    if any(run.state is not State.DONE and standing[run.id].epochs < rung for run in runs):
        return []
    by_settings = defaultdict[str, list[Run]](list)
    for run in runs:
        by_settings[settings_of(run.spec)].append(run)
    values = {name: sum(standing[run.id].at(rung) for run in own) / len(own) for name, own in by_settings.items()}
    on = halving.promoted(values)
    higher = halving.FACTOR * rung if len(on) > 1 else None
    found = list[Decision]()
    for name, own in by_settings.items():
        place = 1 + sum(value > values[name] for value in values.values())
        left = LeftAt(epochs=rung, place=place, of=len(values), kept=len(on))
        for run in own:
            if waits(run) and run.rung == rung:
                found.append(Decision(run, rung=higher) if name in on else Decision(run, left=left))
    return found


def _standing(store: Store, run: Run) -> _Standing:
    metric, values = compared.deciding(run), dict[int, float]()
    plans = store.events(run.id, "plan")
    if not plans:
        return _Standing(0, values)
    plan = Plan(**plans[-1].data)
    for event in store.events(run.id, "epoch"):
        data = event.data
        by_metric = data.get("validation_metric")
        told = data["validation_accuracy"] if by_metric is None else metric.better.sign * by_metric
        loss = data["validation_loss"]
        value = told if told is not None else -loss if loss is not None else -inf
        values[plan.trained(data["phase"], data["epoch"])] = value if isfinite(value) else -inf
    return _Standing(max(values, default=0), values)
