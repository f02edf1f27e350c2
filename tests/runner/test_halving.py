"""Groups that are halved: what the runner decides of runs that wait at a rung, by what they reported."""

import time

import pytest

from tests.helpers import keep_run, wait_until
from tests.runner.test_group_control import BASE
from tests.tools.crashing import short_training
from tl_core.errors import RunError
from tl_core.events import Activity, Epoch, Plan
from tl_core.groups.group import Group
from tl_core.groups.halving import LeftAt
from tl_core.runner import control, group_control, service
from tl_core.runner.halving import Halving
from tl_core.runs import deletion, groups, rungs
from tl_core.runs.states import State, before
from tl_core.runs.store import Run, Store

pytest.importorskip("optuna", reason="Optuna is not installed")
RATES, SEEDS = [0.1, 0.01, 0.001], [0, 1]
GOOD, FAIR, POOR = RATES
AXES = {"strategy.learning_rate": RATES, "seed": SEEDS}
HALVED = Group.parse({"name": "x", "base": BASE | {"strategy.epochs": 10}, "axes": AXES, "successive_halving": True})
REACHED = {(GOOD, 0): 0.5, (GOOD, 1): 0.9, (FAIR, 0): 0.6, (FAIR, 1): 0.6, (POOR, 0): 0.1, (POOR, 1): 0.2}
"""The validation accuracy after the first epoch. By the mean over the seeds the first rate is the best, of the first seed it is
not."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """All runs of the group wait in it, and nothing starts them."""
    monkeypatch.setattr(service, "ensure", lambda home: None)
    found = Store()
    group_control.start(found, HALVED)
    return found


def settings(run: Run) -> tuple[float, int]:
    return run.spec.strategy.settings["learning_rate"], run.spec.seed


def trained(store: Store, run: Run, epochs: int, *, then: State = State.PAUSED) -> None:
    """What a process does of a run up to a rung."""
    for to in (State.STARTING, State.RUNNING):
        assert store.change_state(run.id, before(to), to)
    value = REACHED[settings(run)]
    told = [Epoch("everything", n + 1, n + 1, 1.0, 1.0, 1.0, value, 0.1) for n in range(epochs)]
    plan = Plan(({"name": "everything", "epochs": 10, "steps_per_epoch": 1, "computed": False},), 4, 4, 4)
    store.record(run.id, [(time.time(), event) for event in (plan, *told)])
    if then is State.PAUSED:
        store.record(run.id, [], stage=Activity.WAITING_AT_RUNG)
        assert store.change_state(run.id, before(State.PAUSING), State.PAUSING)
    assert store.change_state(run.id, before(then), then)


def standing(store: Store) -> dict[tuple[float, int], tuple[State, int | None]]:
    return {settings(run): (run.state, run.rung) for run in store.runs()}


def test_all_begin_with_one_epoch(store: Store) -> None:
    assert set(standing(store).values()) == {(State.QUEUED, 1)}


def test_the_better_setting_goes_on_and_the_others_are_told_why_not(store: Store) -> None:
    *others, last = store.queue()
    for run in others:
        trained(store, run, 1)
    Halving(store).tend(busy=False)
    assert {run.left_at for run in store.runs()} == {None}  # one of them has not come as far
    trained(store, last, 1)
    Halving(store).tend(busy=False)
    assert {rate: standing(store)[rate, seed] for rate, seed in REACHED} == {
        GOOD: (State.QUEUED, None),  # nothing is left that it would be held against
        FAIR: (State.PAUSED, 1),
        POOR: (State.PAUSED, 1),
    }
    assert {settings(run)[0]: run.left_at for run in store.runs()} == {
        GOOD: None,
        FAIR: LeftAt(epochs=1, place=2, of=3, kept=1),
        POOR: LeftAt(epochs=1, place=3, of=3, kept=1),
    }
    assert not any(map(rungs.waits, store.runs()))


def test_a_run_that_waits_at_its_rung_is_told_from_one_that_was_paused(store: Store) -> None:
    waits, paused, *_ = store.queue()
    trained(store, waits, 1)
    control.pause(store, paused.id)
    runs = {run.id: run for run in store.runs()}
    assert {run.id: rungs.standing(run) for run in runs.values() if run.state is State.PAUSED} == {
        waits.id: "waiting after 1 epoch",
        paused.id: "",
    }
    wait, held_up = rungs.not_tried_fully(list(runs.values()))
    assert wait.startswith("1 run waits at a rung until the others have come as far")
    assert held_up == "1 run that somebody paused is waited for, too: resume or stop it."
    assert "The group x loses it, and its other runs are held against each other without it." in deletion.losses(
        store, runs[waits.id]
    )
    (group,) = groups.listed(store)
    assert group_control.resume(store, group.id) == [paused.id]
    control.resume(store, waits.id)
    assert (store.run(waits.id).stage, list(rungs.not_tried_fully(store.runs()))) == ("", [])


def test_what_equals_the_best_goes_on_to_a_rung_three_times_as_high(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REACHED, (FAIR, 1), 0.8)
    for run in store.queue():
        trained(store, run, 1)
    Halving(store).tend(busy=False)
    assert [standing(store)[rate, 0] for rate in RATES] == [(State.QUEUED, 3), (State.QUEUED, 3), (State.PAUSED, 1)]


def test_what_failed_is_not_waited_for_and_what_is_done_holds_its_place(store: Store) -> None:
    for run in store.queue():
        rate, seed = settings(run)
        done = State.DONE if rate == FAIR else State.PAUSED
        trained(store, run, 1, then=State.FAILED if (rate, seed) == (GOOD, 1) else done)
    Halving(store).tend(busy=False)
    # Of the first rate the poor seed is left, and the second one, which is done, is ahead of it.
    left = {settings(run): run.left_at and run.left_at.place for run in store.runs()}
    assert left == {(GOOD, 0): 2, (GOOD, 1): None, (FAIR, 0): None, (FAIR, 1): None, (POOR, 0): 3, (POOR, 1): 3}


def test_what_was_left_goes_on_whole_where_somebody_wants_it(store: Store) -> None:
    for run in store.queue():
        trained(store, run, 1)
    Halving(store).tend(busy=False)
    (stored,) = groups.listed(store)
    with pytest.raises(RunError, match="No run of this group is paused, failed or stopped"):
        group_control.resume(store, stored.id)
    assert group_control.start(store, HALVED).queued == ()
    (one,) = [run for run in store.paused() if settings(run) == (POOR, 0)]
    control.resume(store, one.id)
    assert (store.run(one.id).rung, store.run(one.id).left_at) == (None, None)
    whole = HALVED.model_copy(update={"successive_halving": False})
    assert len(group_control.start(store, whole).queued) == 3
    assert {run.rung for run in store.queue() if settings(run)[0] != GOOD} == {None}


@pytest.mark.parametrize("name", ["x", "y"])
def test_what_is_asked_for_whole_by_its_group_or_another_one_is_not_halved(name: str, store: Store) -> None:
    asked = HALVED.model_copy(update={"name": name, "successive_halving": False})
    assert group_control.start(store, asked).queued == ()
    assert set(standing(store).values()) == {(State.QUEUED, None)}


@pytest.mark.process
def test_runs_pause_at_their_rung_and_go_on_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without validation numbers all are equal, and go on."""
    short_training(monkeypatch)
    found, base = Store(), BASE | {"strategy.epochs": 2}
    group_control.start(found, HALVED.model_copy(update={"base": base, "axes": {"strategy.learning_rate": (GOOD, FAIR)}}))
    wait_until(lambda: all(run.state is State.DONE for run in found.runs()))
    runs = found.runs()
    assert [(run.state, run.attempts, run.left_at) for run in runs] == [(State.DONE, 2, None)] * 2
    assert [len(found.events(run.id, "epoch")) for run in runs] == [2, 2]


def test_a_run_that_belongs_to_no_group_is_left_alone(store: Store) -> None:
    keep_run(store, "alone", State.PAUSED)
    Halving(store).tend(busy=False)
    assert store.run("alone").state is State.PAUSED
