"""What strategies compute from their settings, against the papers' numbers worked out by hand."""

import numpy as np
import pytest

from tests.tools.one_step import CLASSES, INPUTS, LABELS, OUTPUTS, gradients, network, step_of, values
from tests.tools.toy import Known
from tl_core import strategies
from tl_core.backbones import BlockOutline
from tl_core.features.inputs import Features
from tl_core.heads import LogisticRegression
from tl_core.networks.classifier import Classifier
from tl_core.phases.phase import RateFactors
from tl_core.phases.schedules import Schedule, cosine, one_cycle
from tl_core.strategies import HEAD, BatchNorm, Learning, Phase, Strategy, everything
from tl_core.strategies._by_gradient import Tuned
from tl_core.strategies.discriminative import DiscriminativeRates, falling
from tl_core.strategies.fine_tuning import FineTuning
from tl_core.strategies.gradual_unfreezing import GradualUnfreezing
from tl_core.strategies.surgical import Surgical
from tl_core.training.prepare import PhasePreparer

BLOCKS = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(4))


def phases_of(strategy: Strategy, images: int = 1000) -> list[Phase]:
    return list(strategy.phases(Known(), BLOCKS, images))


def test_discriminative_rates_fall_by_equal_factors_to_a_hundredth() -> None:
    """fastai's `fine_tune`: the lowest group at a hundredth of the highest, the others evenly between on a log scale."""
    probe, phase = phases_of(DiscriminativeRates(learning_rate=2e-3))
    assert isinstance(probe.solver, LogisticRegression)
    names = [block.name for block in BLOCKS]
    rates = [phase.learning_rate * phase.factors(names)[name] for name in (*names, HEAD)]
    np.testing.assert_allclose(rates, [2e-5, 2e-5 * 100**0.25, 2e-4, 2e-4 * 100**0.25, 2e-3])
    assert phase.trained_blocks(BLOCKS) == tuple(names)


def test_gradual_unfreezing_releases_one_more_from_the_head_downward() -> None:
    """Howard and Ruder 2018, section 3.3: an epoch for each."""
    probe, *stages = phases_of(GradualUnfreezing(stages=len(BLOCKS)))
    assert isinstance(probe.solver, LogisticRegression)
    assert [stage.trained_blocks(BLOCKS) for stage in stages] == [
        ("block 3",),
        ("block 2", "block 3"),
        ("block 1", "block 2", "block 3"),
        ("block 0", "block 1", "block 2", "block 3"),
    ]
    assert {stage.epochs for stage in stages} == {1}
    fewer = phases_of(GradualUnfreezing(stages=2))[1:]
    assert [len(stage.trained_blocks(BLOCKS)) for stage in fewer] == [2, 4]


def test_surgical_rates_follow_the_relative_gradients() -> None:
    """Lee et al. 2023: each tensor's rate is the learning rate times g over the largest g, with g the norm of its gradient over
    the norm of its weights, the mean over the batches. The head, which is new, has the whole rate."""
    assert phases_of(Surgical(batches=2))[-1].measured_rates == 2
    made = network()
    model = FineTuning().join(made, [str(number) for number in range(CLASSES)]).model
    phase = Phase("all", 1, 0.1, 4, everything, BatchNorm.STATISTICS_FROZEN, measured_rates=2)
    preparer = PhasePreparer(Classifier(model, made.model.output), made, made.outline().blocks, [phase], OUTPUTS)
    preparer.freeze(phase)
    before = values(model)
    found = preparer.measured_rates(phase, model, Features(INPUTS, LABELS), np.arange(8))
    assert all(np.array_equal(value, before[path]) for path, value in values(model).items())
    halves = [gradients(before, before["below/kernel"], INPUTS[half], LABELS[half]) for half in (slice(0, 4), slice(4, 8))]
    relative = {path: np.mean([np.linalg.norm(half[path]) for half in halves]) for path in halves[0]}
    relative = {path: norm / np.linalg.norm(before[path]) for path, norm in relative.items() if before[path].any()}
    largest = max(value for path, value in relative.items() if not path.startswith(HEAD))
    for path, value in relative.items():
        assert found[path] == pytest.approx(0.1 if path.startswith(HEAD) else 0.1 * value / largest, rel=1e-4), path
    assert set(found) == set(halves[0])
    assert {found[path] for path in found if path not in relative} == {0.1}  # tensors of zeros have no relative gradient


def test_measuring_gradients_leaves_statistics_that_adapt_where_they_were() -> None:
    made = network()
    model = FineTuning().join(made, [str(number) for number in range(CLASSES)]).model
    phase = Phase("all", 1, 0.1, 8, everything, BatchNorm.ADAPTS, measured_rates=1)
    preparer = PhasePreparer(Classifier(model, made.model.output), made, made.outline().blocks, [phase], OUTPUTS)
    preparer.freeze(phase)
    before = values(model)
    preparer.measured_rates(phase, model, Features(INPUTS, LABELS), np.arange(8))
    assert all(np.array_equal(value, before[path]) for path, value in values(model).items())


@pytest.mark.parametrize("schedule", [cosine(), one_cycle()], ids=["cosine", "one cycle"])
@pytest.mark.parametrize("rates", [falling(10.0), None], ids=["two rates", "one rate"])
def test_each_group_of_rates_has_its_own_schedule(schedule: Schedule, rates: RateFactors | None) -> None:
    """Steps of SGD with momentum in NumPy, each group at its rate times the schedule's factor at the middle of that step."""
    steps, rate = 12, 0.1
    learning = Learning(optimizer="sgd", schedule=schedule)
    phase = Phase("all", 1, rate, 8, everything, BatchNorm.STATISTICS_FROZEN, rates=rates, learning=learning)
    done, _ = step_of(FineTuning(), phase, steps=steps)
    now = {path: value.copy() for path, value in done.before.items()}
    speed = {path: np.zeros_like(value) for path, value in now.items()}
    for step in range(steps):
        for path, gradient in gradients(now, now["below/kernel"]).items():
            slower = 0.1 if rates and not path.startswith(HEAD) else 1.0
            speed[path] = 0.9 * speed[path] - rate * slower * schedule.factor((step + 0.5) / steps) * gradient
        now = {path: value + speed[path] for path, value in now.items()}
    for path, value in done.after.items():
        np.testing.assert_allclose(value, now[path], rtol=2e-4, atol=2e-6, err_msg=path)
    assert all(np.abs(done.after[path] - done.before[path]).max() > 1e-3 for path in gradients(now, now["below/kernel"]))


@pytest.mark.parametrize("policy", BatchNorm)
@pytest.mark.parametrize("strategy", [each for each in strategies.strategies.parts().values() if issubclass(each, Tuned)])
def test_what_batch_norm_does_is_the_users_choice(strategy: type[Tuned], policy: BatchNorm) -> None:
    assert strategy().batch_norm is BatchNorm.FROZEN
    phases = [phase for phase in phases_of(strategy(batch_norm=policy)) if not phase.solver]
    assert phases
    assert {phase.batch_norm for phase in phases} == {policy}
