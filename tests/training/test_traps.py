"""Keras' traps in the way of learning, and three strategies against a step that is computed by hand in NumPy.

Those of freezing are in test_freezing. `pytest -k trap` finds all twelve.
"""

from dataclasses import replace
from inspect import signature
from typing import Any

import keras
import numpy as np
import pytest

from tests.tools.one_step import INPUTS, LABELS, OUTPUTS, RATE, SGD, gradients, step_of, values
from tl_core.features.inputs import Features
from tl_core.strategies import HEAD, BatchNorm, Learning, Moves, Phase, everything
from tl_core.strategies.fine_tuning import FineTuning
from tl_core.strategies.l2_sp import ToStart
from tl_core.strategies.lora import LoRA
from tl_core.training.loop import evaluate
from tl_core.training.optimizers import optimizer

ALL = Phase("all", 1, RATE, 8, everything, learning=SGD)
CLOSE: dict[str, Any] = {"rtol": 2e-4, "atol": 2e-6}


def perturb(model: Any) -> None:
    for weight in model.trainable_weights:
        weight.assign(weight + 0.1)


def test_a_plain_step_is_the_one_by_hand() -> None:
    step, _ = step_of(FineTuning(), ALL)
    expected = gradients(step.before, step.before["below/kernel"])
    for path in ("below/kernel", "below/bias", f"{HEAD}/kernel", f"{HEAD}/bias"):
        np.testing.assert_allclose(step.after[path], step.before[path] - RATE * expected[path], **CLOSE)
    assert step.moved == {"below/kernel", "below/bias", f"{HEAD}/kernel", f"{HEAD}/bias"}


def test_l2_sp_is_the_one_by_hand() -> None:
    """Away from the start by 0.1: the backbone is drawn back there, the head to 0."""
    step, _ = step_of(FineTuning(), replace(ALL, penalty=ToStart(0.5, 0.25)), perturb)
    expected = gradients(step.before, step.before["below/kernel"])
    for path in ("below/kernel", "below/bias", f"{HEAD}/kernel", f"{HEAD}/bias"):
        pull = 0.25 * step.before[path] if path.startswith(HEAD) else 0.5 * 0.1
        np.testing.assert_allclose(step.after[path], step.before[path] - RATE * (expected[path] + pull), **CLOSE)


def test_norm_only_is_the_one_by_hand() -> None:
    """Statistics of the batch would give other gradients: those kept are used, and stay."""
    norms = replace(ALL, moves=Moves.NORMS, batch_norm=BatchNorm.STATISTICS_FROZEN)
    step, _ = step_of(FineTuning(), norms)
    expected = gradients(step.before, step.before["below/kernel"])
    assert step.moved == {"norm/gamma", "norm/beta", f"{HEAD}/kernel", f"{HEAD}/bias"}
    for path in step.moved:
        np.testing.assert_allclose(step.after[path], step.before[path] - RATE * expected[path], **CLOSE)


def test_bit_fit_moves_the_biases_too() -> None:
    biases = replace(ALL, moves=Moves.BIASES, batch_norm=BatchNorm.STATISTICS_FROZEN)
    step, _ = step_of(FineTuning(), biases)
    assert step.moved == {"below/bias", "norm/gamma", "norm/beta", f"{HEAD}/kernel", f"{HEAD}/bias"}


RANK, ALPHA = 2, 3.0
ADAPTERS = replace(ALL, moves=Moves.ADAPTERS)


def test_lora_is_the_one_by_hand() -> None:
    def prepare(model: Any) -> None:
        layer = model.get_layer("below")
        layer.lora_kernel_b.assign(np.random.default_rng(5).normal(size=(RANK, 5)))  # at 0, A would have no gradient

    step, _ = step_of(LoRA(rank=RANK, alpha=ALPHA, normalise=False), ADAPTERS, prepare)
    a, b = step.before["below/lora_kernel_a"], step.before["below/lora_kernel_b"]
    expected = gradients(step.before, step.before["below/kernel"] + ALPHA / RANK * a @ b)
    of_kernel = expected.pop("below/kernel") * ALPHA / RANK
    expected |= {"below/lora_kernel_a": of_kernel @ b.T, "below/lora_kernel_b": a.T @ of_kernel}
    assert step.moved == {"below/lora_kernel_a", "below/lora_kernel_b", f"{HEAD}/kernel", f"{HEAD}/bias"}
    for path in step.moved:
        np.testing.assert_allclose(step.after[path], step.before[path] - RATE * expected[path], **CLOSE)


def test_lora_begins_as_the_network_was() -> None:
    plain, adapted = (step_of(strategy, ALL)[0].before for strategy in (FineTuning(), LoRA(rank=RANK, normalise=False)))
    for path in plain.keys() - {f"{HEAD}/kernel"}:  # which is drawn after the adapters
        np.testing.assert_array_equal(adapted[path], plain[path])
    assert not adapted["below/lora_kernel_b"].any()


def test_trap_4_weight_decay_spares_norms_and_biases() -> None:
    """With a gradient of zero, all that moves is what decays."""
    variables = [keras.Variable(np.ones(shape, np.float32), name=name) for name, shape in NAMES.items()]
    rates = {variable.path: 0.1 for variable in variables}
    for learning in (Learning(weight_decay=0.5), Learning(optimizer="sgd", weight_decay=0.5)):
        for variable in variables:
            variable.assign(np.ones(variable.shape, np.float32))
        chosen = optimizer(variables, rates, learning, steps=10)
        chosen.apply([keras.ops.zeros(variable.shape) for variable in variables], variables)
        kernel, *others = (keras.ops.convert_to_numpy(variable) for variable in variables)
        np.testing.assert_allclose(kernel, 1 - 0.1 * 0.5, rtol=1e-6)
        assert all((other == 1).all() for other in others)


NAMES = {"kernel": (2, 3), "gamma": (3,), "beta": (3,), "bias": (3,)}


def test_trap_5_each_group_steps_at_its_own_rate() -> None:
    """Adam's first step is the rate, whatever the gradient is: scaling gradients would not do this."""
    variables = [keras.Variable(np.zeros(3, np.float32), name=name) for name in ("low", "middle", "high")]
    rates = dict(zip([variable.path for variable in variables], (0.001, 0.01, 0.1), strict=True))
    chosen = optimizer(variables, rates, Learning(), steps=10)
    chosen.apply([keras.ops.full((3,), 7.0) for _ in variables], variables)
    moved = [-float(keras.ops.convert_to_numpy(variable)[0]) for variable in variables]
    np.testing.assert_allclose(moved, [0.001, 0.01, 0.1], rtol=1e-5)


def test_groups_are_clipped_together() -> None:
    variables = [keras.Variable(np.zeros(1, np.float32), name=name) for name in ("one", "other")]
    rates = {variables[0].path: 1.0, variables[1].path: 0.5}
    chosen = optimizer(variables, rates, Learning(optimizer="sgd", clip_norm=1.0), steps=10)
    chosen.apply([keras.ops.full((1,), 30.0), keras.ops.full((1,), 40.0)], variables)
    moved = [float(keras.ops.convert_to_numpy(variable)[0]) for variable in variables]
    np.testing.assert_allclose(moved, [-0.6, -0.4], rtol=1e-5)


def test_trap_6_adapters_learn_again_after_a_reload(tmp_path: Any) -> None:
    """Keras merges the kernel and sets A and B to 0 as it loads weights, after which neither has a gradient."""
    _, model = step_of(LoRA(rank=RANK, normalise=False), ADAPTERS)
    model.save_weights(tmp_path / "kept.weights.h5")

    def load(again: Any) -> None:
        again.load_weights(tmp_path / "kept.weights.h5")
        assert not values(again)["below/lora_kernel_a"].any()  # the trap is still there

    step, again = step_of(LoRA(rank=RANK, normalise=False), ADAPTERS, load)
    assert step.before["below/lora_kernel_a"].any()
    assert "below/lora_kernel_b" in step.moved
    again.train_on_batch(INPUTS, np.zeros(len(INPUTS)))
    assert not np.array_equal(values(again)["below/lora_kernel_a"], step.after["below/lora_kernel_a"])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="about TensorFlow's own default")
def test_trap_9_no_xla_on_a_processor() -> None:
    import tensorflow as tf

    _, model = step_of(FineTuning(), ALL)
    assert tf.config.list_physical_devices("GPU") or not model.jit_compile


def test_trap_10_what_comes_third_is_not_the_metrics() -> None:
    """Whoever passes `compile` an optimizer, a loss and metrics in a row has set weights of losses, and is told no metric. That
    nobody here passes anything but by its name is read from the source in tests/test_architecture.py."""
    third = list(signature(keras.Model.compile).parameters)[3]
    assert third == "loss_weights"
    _, model = step_of(FineTuning(), ALL)
    assert model.test_on_batch(INPUTS, LABELS, return_dict=True).keys() == {"loss", "accuracy", "cross_entropy"}


def test_class_weights_reach_the_gradient_and_not_what_is_told() -> None:
    """Images of weight 0 teach nothing; the loss that is told is the plain cross-entropy of all images alike."""
    _, model = step_of(FineTuning(), ALL)
    model.compile(optimizer="sgd", loss=OUTPUTS.loss(SGD), metrics=OUTPUTS.metrics(SGD))
    before = values(model)
    plain = model.test_on_batch(INPUTS, LABELS, return_dict=True)["cross_entropy"]
    said = model.train_on_batch(INPUTS, LABELS, sample_weight=np.zeros(len(LABELS), np.float32), return_dict=True)
    assert OUTPUTS.told(said)[0] == pytest.approx(float(plain), rel=1e-5)
    assert all(np.array_equal(value, before[path]) for path, value in values(model).items())


def test_smoothing_changes_the_gradient_and_not_what_is_told() -> None:
    smoothed = replace(ALL, learning=replace(SGD, label_smoothing=0.3))
    plain, soft = (step_of(FineTuning(), phase) for phase in (ALL, smoothed))
    assert plain[0].before.keys() == soft[0].before.keys()
    of_head = f"{HEAD}/kernel"
    assert not np.allclose(plain[0].after[of_head], soft[0].after[of_head])
    loss, _ = evaluate(soft[1], Features(INPUTS, LABELS), 8, smoothed.learning, OUTPUTS)
    logs = 1e-7 + soft[1].predict_on_batch(INPUTS)[np.arange(8), LABELS]
    assert loss == pytest.approx(-np.log(logs).mean(), rel=1e-4)
