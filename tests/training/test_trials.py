"""A sweep of learning rates: the control and the transfer have the same one, and what it takes and decides is in the result."""

import json
from collections import Counter
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.tools.interrupting import Attempt, at_step, in_attempts, require_same_outcome
from tests.tools.toy import FEW, SIZE, TOY, Known, ToyBackbone, begin, known
from tests.tools.variants import variants
from tl_core.backbones import BlockOutline
from tl_core.errors import Paused, SettingError
from tl_core.events import Activity, Epoch, Plan, Resumed, Step
from tl_core.planning import cost_model
from tl_core.planning.cuts import SplitSizes
from tl_core.recipe import Recipe
from tl_core.result import BestTrial, Outcome
from tl_core.spec import RunSpec
from tl_core.strategies import Phase, strategies
from tl_core.strategies._with_sweep import WithSweep, factors
from tl_core.strategies.fine_tuning import FineTuning
from tl_core.strategies.from_scratch import FromScratch
from tl_core.studies._lr_sweep import sweep
from tl_core.training.checkpoints import STATE, Checkpoints
from tl_core.training.freezing import digests
from tl_core.training.prepare import PhasePreparer
from tl_core.training.run import Training
from tl_core.training.train import train

EPOCHS, STEPS = 2, 4
SWEPT = TOY.with_settings({"strategy.epochs": EPOCHS, "strategy.batch_size": 16, "strategy.trials": 3})
NAMES = ["rate 0.002", "rate 0.000667", "rate 0.006"]


class Watched:
    """A run with trials: what each began from and ended with, and what was told of it."""

    def __init__(self, spec: RunSpec, patch: pytest.MonkeyPatch) -> None:
        self.begun: list[dict[str, str]] = []
        self.ended: list[dict[str, str]] = []
        freeze: Any = PhasePreparer.freeze
        leave: Any = Training._end

        def begins(preparer: PhasePreparer, phase: Phase) -> Any:
            self.begun.append(digests(preparer._model))
            return freeze(preparer, phase)

        def ends(training: Training, *rest: Any, **more: Any) -> Any:
            self.ended.append(digests(training.model))
            return leave(training, *rest, **more)

        patch.setattr(PhasePreparer, "freeze", begins)
        patch.setattr(Training, "_end", ends)
        self.events = Attempt()
        self.outcome = train(spec, self.events)

    @property
    def epochs(self) -> list[Epoch]:
        return [event for event in self.events if isinstance(event, Epoch)]

    def last_epoch(self, name: str) -> Epoch:
        return [epoch for epoch in self.epochs if epoch.phase == name][-1]


def loss_of(epoch: Epoch) -> float:
    assert epoch.validation_loss is not None
    return epoch.validation_loss


def weights(outcome: Outcome) -> dict[str, str]:
    return digests(outcome.model)


def test_factors_go_outwards() -> None:
    assert factors(1) == (1,)
    assert factors(5) == pytest.approx((1, 1 / 3, 3, 1 / 9, 9))


@pytest.mark.parametrize("trials", [1, 3, 4])
def test_the_control_is_offered_what_the_transfer_is(trials: int) -> None:
    """As many rates, as far apart, each for as long as without a sweep."""
    tried = {}
    for strategy, backbone in ((FromScratch(trials=trials), ToyBackbone()), (FineTuning(trials=trials), Known())):
        blocks = ()
        phases = list(strategy.phases(backbone, blocks, 32))
        alone = next(iter(strategy.model_copy(update={"trials": 1}).phases(backbone, blocks, 32)))
        assert {(phase.epochs, phase.batch_size, phase.learning) for phase in phases} == {
            (alone.epochs, alone.batch_size, alone.learning)
        }
        assert [phase.trial for phase in phases] == [trials > 1] * trials
        tried[strategy.name] = [phase.learning_rate / alone.learning_rate for phase in phases]
    assert tried["from_scratch"] == pytest.approx(tried["fine_tuning"])
    assert {name for name, part in strategies.parts().items() if issubclass(part, WithSweep)} == set(tried)


@pytest.mark.parametrize("rate", [1e-6, 2e-3, 0.5], ids=["too low", "good", "too high"])
def test_the_lowest_validation_loss_is_kept(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Watched(SWEPT.with_settings({"strategy.learning_rate": rate, "strategy.schedule": "constant"}), monkeypatch)
    names = [phase.name for phase in run.outcome.result.phases]
    losses = [loss_of(run.last_epoch(name)) for name in names]
    winner = losses.index(min(losses))
    assert winner in {1e-6: {2}, 0.5: {0, 1}}.get(rate, {0, 1, 2})
    assert run.begun == [run.begun[0]] * 3  # from the very same weights
    if winner < 2:
        assert weights(run.outcome) == run.ended[winner]
    assert weights(run.outcome) == run.ended[2]  # the last trial ends when the best of all has been put back
    assert run.outcome.result.validation_accuracy == run.last_epoch(names[winner]).validation_accuracy
    assert run.outcome.result.phases[-1].best_trial == BestTrial(name=names[winner], loss=min(losses))


def test_the_first_trial_is_the_run_without_a_sweep() -> None:
    """Where it wins the result is the very one."""
    settings = {"strategy.learning_rate": 1e-2, "strategy.epochs": 6, "strategy.schedule": "constant"}
    events = Attempt()
    swept = train(SWEPT.with_settings(settings), events)
    alone = train(SWEPT.with_settings(settings | {"strategy.trials": 1}), lambda event: None)
    assert swept.result.phases[-1].best_trial.name == "rate 0.01"  # type: ignore[union-attr]  # there were trials
    assert weights(swept) == weights(alone)
    first = [event for event in events if isinstance(event, Epoch)][:6]
    assert first[-1].validation_accuracy == alone.result.validation_accuracy
    assert [phase.name for phase in alone.result.phases] == ["everything"]


def test_every_trial_counts() -> None:
    """In seconds, in steps, in the plan, and in what was estimated before."""
    events = Attempt()
    result = train(SWEPT, events).result
    assert [phase.name for phase in result.phases] == NAMES
    seconds = {timing.phase: timing.seconds for timing in result.timings if timing.activity is Activity.TRAINING}
    of_trials = [seconds[name] for name in NAMES]
    assert min(of_trials) > 0
    assert result.seconds >= sum(of_trials)
    assert Counter(event.phase for event in events if isinstance(event, Step)) == dict.fromkeys(NAMES, STEPS)
    plan = next(event for event in events if isinstance(event, Plan))
    assert [phase["name"] for phase in plan.phases] == NAMES
    one, three = (planned(SWEPT.with_settings({"strategy.trials": trials})) for trials in (1, 3))
    assert three.total.passes - three.test.passes == pytest.approx(3 * (one.total.passes - one.test.passes))


def planned(spec: RunSpec) -> cost_model.Costs:
    blocks = [BlockOutline("block", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000)]
    return cost_model.of(Recipe.of(spec), blocks, SplitSizes(32, 16, 32), 0.0)


INTERRUPTED = [[2], [STEPS + 1], [STEPS, 2 * STEPS], [2 * STEPS + 3]]


@pytest.mark.parametrize("steps", variants(INTERRUPTED, INTERRUPTED[2:3]))
def test_an_interrupted_sweep_ends_the_same(steps: list[int], tmp_path: Path) -> None:
    """Within a trial, between two of them, and when the best one is only in the checkpoint any more."""
    spec = SWEPT.with_settings(
        {"strategy.learning_rate": 0.5, "strategy.schedule": "constant"}
    )  # the last one is by far too high
    whole = train(spec, Attempt(), Checkpoints(tmp_path / "whole"))
    attempts, outcome = in_attempts(spec, tmp_path / "paused", [at_step(step) for step in steps])
    assert len(attempts) == len(steps) + 1
    assert outcome.result.phases[-1].best_trial.name != "rate 1.5"  # type: ignore[union-attr]  # there were trials
    require_same_outcome(whole, outcome)


def test_a_checkpoint_of_before_there_were_trials_is_gone_on_with(tmp_path: Path) -> None:
    spec = SWEPT.with_settings({"strategy.trials": 1})
    whole = train(spec, Attempt(), Checkpoints(tmp_path / "whole"))
    with pytest.raises(Paused):
        train(spec, Attempt(at_step(3)), Checkpoints(tmp_path / "old"))
    with np.load(tmp_path / "old" / STATE) as kept:
        arrays = {name: array for name, array in kept.items() if not name.startswith("winner")}
    plain = json.loads(str(arrays["plain"]))
    del plain["account"]["best_trial"], plain["account"]["progress"]["validation_loss"]
    np.savez(tmp_path / "old" / STATE, **arrays | {"plain": np.array(json.dumps(plain))})
    attempt = Attempt()
    outcome = train(spec, attempt, Checkpoints(tmp_path / "old"))
    assert [event.step for event in attempt if isinstance(event, Resumed)] == [3]
    require_same_outcome(whole, outcome)


@pytest.mark.parametrize("diverging", [{0}, {1}, {2}, {0, 1, 2}])
@pytest.mark.parametrize("patience", [None, 2])
def test_a_trial_that_diverged_is_not_kept_unless_all_did(diverging: set[int], patience: int | None) -> None:
    """Its loss is not a number, with which every comparison is false."""
    events = Attempt()
    training, phases = begin(events, spec=SWEPT.with_settings({"strategy.patience": patience}))
    assert training.remaining_phases() == phases
    for index, phase in enumerate(phases):
        training.train_phase(replace(phase, learning_rate=1e38) if index in diverging else phase)
        assert isnan([loss_of(event) for event in events if isinstance(event, Epoch)][-1]) == (index in diverging)
    best = training.state.records[-1].best_trial
    assert best
    if len(diverging) == len(phases):
        assert best.loss is None
        return
    assert all(phases[index].name != best.name for index in diverging)
    assert all(np.isfinite(keras.ops.convert_to_numpy(variable)).all() for variable in training.model.trainable_variables)


def test_with_patience_a_trial_is_judged_by_its_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"strategy.patience": 2, "strategy.epochs": 6, "strategy.learning_rate": 0.05, "strategy.schedule": "constant"}
    run = Watched(SWEPT.with_settings(settings), monkeypatch)
    least = {phase.name: min(loss_of(e) for e in run.epochs if e.phase == phase.name) for phase in run.outcome.result.phases}
    best = run.outcome.result.phases[-1].best_trial
    assert best == BestTrial(name=min(least, key=lambda name: least[name]), loss=min(least.values()))


def test_fine_tuning_keeps_to_it_too() -> None:
    with known() as backbone:
        settings = FEW | {"backbone": backbone, "image_size": SIZE, "strategy": "fine_tuning"}
        spec = RunSpec().with_settings(settings | {"strategy.trials": 2, "strategy.epochs": 1})
        result = train(spec, lambda event: None).result
        assert [phase.name for phase in result.phases] == ["rate 0.0001", "rate 3.33e-05"]
        assert [phase.learning_rate for phase in result.phases] == pytest.approx([1e-3, 1e-3 / 3])  # the head's
        assert all(phase.unchanged_tensors == phase.frozen_tensors for phase in result.phases)
        assert sweep(spec, 2, lambda event: None) == "rate 1"


def test_without_validation_images_nothing_can_be_chosen() -> None:
    spec = SWEPT.with_settings({"dataset.validation_per_class": 0})
    events = Attempt()
    with pytest.raises(SettingError, match=r"validation images, and this dataset has none.*strategy\.trials to 1"):
        train(spec, events)
    assert not [event for event in events if isinstance(event, Step)]
    assert train(spec.with_settings({"strategy.trials": 1}), lambda event: None).result.validation_images == 0
