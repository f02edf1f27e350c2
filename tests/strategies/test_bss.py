"""Batch spectral shrinkage against singular values by NumPy, and its gradient against differences."""

from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.one_step import CLASSES, OUTPUTS, RATE, SGD, Values, features_of, gradients, network, values
from tl_core.strategies import HEAD, Phase, everything
from tl_core.strategies.bss import Shrinkage
from tl_core.strategies.fine_tuning import FineTuning
from tl_core.training.optimizers import MOMENTUM
from tl_core.training.prepare import PhasePreparer

STRENGTH, COUNT = 0.5, 2
ALL = Phase("all", 1, RATE, 8, everything, learning=SGD, penalty=Shrinkage(STRENGTH, COUNT))
SIZES = (8, 3, 12, 4, 8)
"""Of the batches: five features, so some are shorter than wide. TensorFlow compiles the second one for any size."""
LABELS = np.arange(12, dtype=np.int64) % CLASSES


def normal(*shape: int) -> NDArray[np.float32]:
    """Numbers without a pattern, the same ones each time."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


INPUTS = normal(12, 4)


def penalty(features: NDArray[np.float64], count: int = COUNT) -> float:
    """The one of the paper, for a batch of features (n, d)."""
    return STRENGTH * float((np.linalg.svd(features, compute_uv=False)[-count:] ** 2).sum())


@pytest.mark.parametrize("count", [1, 2, 9])
@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (5, 5), (1, 4)])
def test_the_penalty_is_that_of_the_smallest_singular_values(shape: tuple[int, int], count: int) -> None:
    """Times the batch, by which Keras divides it. Nine are more than there are: then it is that of all."""
    features = normal(*shape)
    said = float(Shrinkage(STRENGTH, count)(keras.ops.convert_to_tensor(features)))
    assert said / shape[0] == pytest.approx(penalty(features.astype(np.float64), count), rel=1e-4)


def test_features_may_be_half_as_long() -> None:
    features = keras.ops.convert_to_tensor(normal(4, 6), "bfloat16")
    whole = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32")).astype(np.float64)
    assert float(Shrinkage(STRENGTH, COUNT)(features)) / 4 == pytest.approx(penalty(whole), rel=1e-4)


def ready(*, xla: bool = False) -> Any:
    """The classifier, compiled for the phase."""
    made = network()
    classifier = FineTuning().join(made, [str(name) for name in range(CLASSES)])
    preparer = PhasePreparer(classifier, made, made.outline().blocks, [ALL], OUTPUTS, xla=xla)
    frozen = preparer.freeze(ALL)
    preparer.compile(classifier.model, ALL, frozen, preparer.rates(ALL, classifier.model), steps=len(SIZES))
    return classifier.model


def slopes(now: Values, path: str, inputs: NDArray[np.float32], width: float = 1e-6) -> NDArray[np.float64]:
    """The gradient of the penalty in a variable, by differences in both directions."""
    found = np.zeros_like(now[path])
    for place in np.ndindex(found.shape):
        ends = []
        for step in (width, -width):
            moved = now | {path: now[path].copy()}
            moved[path][place] += step
            ends.append(penalty(features_of(moved, inputs)))
        found[place] = (ends[0] - ends[1]) / (2 * width)
    return found


@pytest.mark.parametrize("xla", [False, True])
def test_steps_on_batches_of_any_size_are_those_by_hand(xla: bool) -> None:
    """Each loss that is told holds the penalty, and each step goes down its gradient and that of the cross-entropy together,
    whether XLA compiles it or not."""
    model = ready(xla=xla)
    velocity: dict[str, Any] = {}
    for size in SIZES:
        inputs, labels, before = INPUTS[:size], LABELS[:size], values(model)
        told = model.train_on_batch(inputs, labels, return_dict=True)
        extra = float(told["loss"]) - float(told["cross_entropy"])
        assert extra == pytest.approx(penalty(features_of(before, inputs)), rel=1e-3, abs=1e-6), size
        expected = gradients(before, before["below/kernel"], inputs, labels)
        for path in ("below/kernel", "below/bias", f"{HEAD}/kernel"):
            pull = slopes(before, path, inputs) if path.startswith("below") else 0.0
            velocity[path] = MOMENTUM * velocity.get(path, 0.0) - RATE * (expected[path] + pull)
            moved = values(model)[path] - before[path]
            np.testing.assert_allclose(moved, velocity[path], rtol=2e-3, atol=2e-5, err_msg=f"{path}, batch of {size}")


def test_features_that_are_never_used_break_nothing() -> None:
    """Two dead ones: the smallest singular value is 0 twice, where singular vectors are anybody's choice."""
    model = ready()
    layer = model.get_layer("below")
    layer.bias.assign(np.array([-100.0, -100.0, 0.0, 0.0, 0.0]))
    for size in SIZES:
        told = model.train_on_batch(INPUTS[:size], LABELS[:size], return_dict=True)
        assert np.isfinite(float(told["loss"]))
    assert all(np.isfinite(value).all() for value in values(model).values())
