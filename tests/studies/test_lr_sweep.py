"""The range test of learning rates, for real, on small networks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from tests.helpers import QUICK
from tests.tools.toy import FEW, SIZE, known
from tests.tools.variants import UNTAUGHT
from tl_core.datasets import Data
from tl_core.errors import SettingError, Stopped
from tl_core.events import Activity, Event, Stage, Step
from tl_core.spec import RunSpec
from tl_core.strategies import Phase, strategies
from tl_core.studies import _lr_sweep
from tl_core.studies._lr_sweep import HIGHEST, LOWEST, halves, rate_at, sweep
from tl_core.training.inputs import InputPipeline
from tl_core.training.prepared import PreparedPhase

STEPS = 7


def steps_of(spec: RunSpec, steps: int = STEPS) -> tuple[str, list[Step]]:
    told: list[Event] = []
    phase = sweep(spec, steps, told.append)
    return phase, [event for event in told if isinstance(event, Step)]


def test_rates_rise_by_the_same_ratio_between_the_ends() -> None:
    rates = np.array([rate_at(step, 60) for step in range(1, 61)])
    assert rates[0] > LOWEST
    assert rates[-1] < HIGHEST
    np.testing.assert_allclose(rates[1:] / rates[:-1], (HIGHEST / LOWEST) ** (1 / 60), rtol=1e-9)


def test_so_many_steps_over_more_than_one_epoch() -> None:
    """32 images in batches of 16: seven batches are more than three epochs."""
    phase, steps = steps_of(QUICK.with_settings({"strategy.batch_size": 16}))
    assert phase == "everything"
    assert [step.step for step in steps] == list(range(1, STEPS + 1))
    assert {step.epoch for step in steps} == {1, 2, 3, 4}


def test_the_present_rate_changes_nothing() -> None:
    losses = [[step.loss for step in steps_of(QUICK.with_settings({"strategy.learning_rate": rate}))[1]] for rate in (1e-5, 1e-2)]
    assert losses[0] == losses[1]


def test_a_rate_that_is_too_high_breaks_out() -> None:
    """So the rate does reach the optimizer, and rises: nothing moves at first, and in the end everything."""
    _, steps = steps_of(QUICK.with_settings({"strategy.batch_size": 32}), 40)
    losses = [step.loss for step in steps]
    assert max(losses[:8]) - min(losses[:8]) < 1e-2  # every batch holds all images
    assert max(losses[-8:]) > 1.3 * min(losses)


@pytest.mark.parametrize("name", [name for name in UNTAUGHT if "learning_rate" in strategies.part(name).model_fields])
def test_every_strategy_with_a_rate_can_be_searched(name: str) -> None:
    with known() as backbone:
        spec = RunSpec().with_settings(FEW | {"backbone": backbone, "strategy": name, "image_size": SIZE})
        phase, steps = steps_of(spec, 2)
    assert len(steps) == 2
    assert phase


def test_the_head_is_computed_before() -> None:
    """Probe, then fine-tune: at the lowest rates its loss is that of the probe, not that of a new head (log 16)."""
    many = FEW | {"dataset.labels_per_class": 20}
    with known() as backbone:
        spec = RunSpec().with_settings(many | {"backbone": backbone, "strategy": "lp_ft", "image_size": SIZE})
        _, steps = steps_of(spec, 5)
    assert np.mean([step.loss for step in steps]) < 0.95 * np.log(16)


@pytest.mark.parametrize("labels", [3, 1])
def test_rates_are_tried_on_images_that_the_head_was_not_computed_from(labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its own images its loss is nothing, and so is the gradient. Where no class has two images there are no others."""
    fed: dict[str, Data] = {}
    stand: Any = InputPipeline.inputs_for

    def watched(feeder: InputPipeline, phase: Phase, index: int) -> Any:
        fed[phase.name] = feeder.data
        return stand(feeder, phase, index)

    monkeypatch.setattr(InputPipeline, "inputs_for", watched)
    with known() as backbone:
        settings = FEW | {"dataset.labels_per_class": labels, "backbone": backbone, "strategy": "lp_ft", "image_size": SIZE}
        steps_of(RunSpec().with_settings(settings), 2)
    head, rates = ([data.train.read(index).tobytes() for index in range(len(data.train))] for data in fed.values())
    assert list(fed) == ["head", "everything"]
    assert len(np.unique(fed["head"].train.labels)) == 16
    assert (len(head), len(rates)) == {3: (32, 16), 1: (16, 16)}[labels]
    assert set(head) & set(rates) == (set(head) if labels == 1 else set())


@given(drawn.lists(drawn.integers(0, 3), min_size=1, max_size=30))
def test_halves(labels: list[int]) -> None:
    first, second = halves(np.array(labels))
    counts = np.bincount(labels)
    assert (np.diff(first) > 0).all()
    assert (np.diff(second) > 0).all()
    np.testing.assert_array_equal(np.bincount(np.array(labels)[first], minlength=len(counts)), (counts + 1) // 2)
    if counts.max() > 1:
        assert sorted([*first, *second]) == list(range(len(labels)))
    else:
        assert list(first) == list(second) == list(range(len(labels)))


def test_a_head_that_is_not_computed_takes_no_images_away(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    stand: Any = InputPipeline.inputs_for

    def watched(feeder: InputPipeline, phase: Phase, index: int) -> Any:
        sizes.append(len(feeder.data.train))
        return stand(feeder, phase, index)

    monkeypatch.setattr(InputPipeline, "inputs_for", watched)
    steps_of(QUICK, 2)
    assert sizes == [32]


def test_a_strategy_without_a_rate_is_refused() -> None:
    with known() as backbone, pytest.raises(SettingError, match=r"strategy\.learning_rate"):
        sweep(RunSpec().with_settings({"backbone": backbone, "strategy": "linear_probe"}), STEPS, lambda event: None)


def test_it_ends_when_told() -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Step) and event.step == 3:
            raise Stopped

    with pytest.raises(Stopped):
        sweep(QUICK, STEPS, stop)


def test_many_images_are_cut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.studies._lr_sweep.MOST_IMAGES", 5)
    seen: list[int] = []
    fit: Any = _lr_sweep.fit

    def watched(phase: PreparedPhase, *rest: Any) -> Any:
        seen.append(len(phase.train))
        return fit(phase, *rest)

    monkeypatch.setattr("tl_core.studies._lr_sweep.fit", watched)
    steps_of(QUICK)
    assert seen == [5]


def test_the_optimizer_has_the_rates_that_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the lowest to the highest over the steps that are asked for, however many steps an epoch has."""
    swept: list[PreparedPhase] = []
    fit: Any = _lr_sweep.fit

    def watched(phase: PreparedPhase, *rest: Any) -> Any:
        swept.append(phase)
        return fit(phase, *rest)

    monkeypatch.setattr("tl_core.studies._lr_sweep.fit", watched)
    sweep(QUICK.with_settings({"strategy.batch_size": 4}), STEPS, lambda event: None)
    assert len(swept[0].train) > 2 * swept[0].batch_size
    reached = float(swept[0].model.optimizer.learning_rate)
    assert rate_at(STEPS, STEPS) < reached <= 1.01 * _lr_sweep.HIGHEST


def test_it_says_what_it_does() -> None:
    told: list[Event] = []
    sweep(QUICK, 2, told.append)
    said = dict.fromkeys(event.activity for event in told if isinstance(event, Stage))
    assert list(said) == [Activity.READING_DATASET, Activity.LOADING_BACKBONE, Activity.READING_IMAGES]
