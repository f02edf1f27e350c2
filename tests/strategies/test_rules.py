"""What strategies compute from their settings, against the papers' numbers worked out by hand."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.core.toy import Known
from tl_core.backbones import BlockOutline
from tl_core.strategies import Phase, Strategy
from tl_core.strategies.bit_hyperrule import BiTHyperRule
from tl_core.strategies.bss import Shrinkage

BLOCKS = tuple(BlockOutline(f"block {n}", layers=3, parameters=100, norm_parameters=20, multiply_adds=1000) for n in range(4))


def phases_of(strategy: Strategy, images: int = 1000) -> list[Phase]:
    return list(strategy.phases(Known(), BLOCKS, images))


@pytest.mark.parametrize("batch", [8, 64, 512])
@pytest.mark.parametrize(
    ("images", "steps", "rise", "falls", "mixup"),
    [
        (1024, 500, 100, (200, 300, 400), 0.0),
        (19_999, 500, 100, (200, 300, 400), 0.0),
        (20_000, 10_000, 500, (3000, 6000, 9000), 0.1),
        (500_000, 20_000, 500, (6000, 12_000, 18_000), 0.1),
    ],
)
def test_bit_hyperrule_is_the_papers_at_any_batch(
    images: int, steps: int, rise: int, falls: tuple[int, ...], mixup: float, batch: int
) -> None:
    """Kolesnikov et al. 2020, section 3.3: so many steps of 512 images, the rate a tenth at each of three, 0.003."""
    (phase,) = phases_of(BiTHyperRule(batch_size=batch), images)
    taken = phase.epochs * phase.steps(images)
    assert steps * 512 <= taken * batch < steps * 512 + phase.steps(images) * batch  # whole epochs
    assert phase.learning_rate == pytest.approx(0.003 * batch / 512)
    assert (phase.learning.optimizer, phase.learning.mixup) == ("sgd", mixup)
    factor = phase.learning.schedule.factor
    assert factor(rise / steps / 2) == pytest.approx(0.5)
    for number, fall in enumerate(falls):
        assert factor((fall - 1) / steps) == pytest.approx(0.1**number)
        assert factor((fall + 1) / steps) == pytest.approx(0.1 ** (number + 1))
    assert factor(1.0) == pytest.approx(1e-3)


def spectral(features: NDArray[np.float64], strength: float, count: int) -> float:
    """Chen et al. 2019: strength times the sum of the smallest squared singular values."""
    return float(strength * np.square(np.sort(np.linalg.svd(features, compute_uv=False))[:count]).sum())


def shrunk(shrinkage: Shrinkage, rate: float) -> keras.Model:
    """A layer of 6 features under that penalty, and nothing else that is minimised."""
    numbers = keras.Input((4,))
    features = keras.layers.Dense(6, use_bias=False, activity_regularizer=shrinkage)(numbers)
    model = keras.Model(numbers, features)
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=lambda aimed, given: 0.0 * given)
    return model


@pytest.mark.parametrize("count", [1, 2])
def test_bss_adds_the_smallest_singular_values_of_batches_of_any_size(count: int) -> None:
    """TensorFlow traces the step for any size from the second one on, and then knows none."""
    keras.utils.set_random_seed(0)
    model = shrunk(Shrinkage(0.5, count), rate=0.0)
    inputs = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    for images in (2, 3, 9, 8, 2):
        loss = model.train_on_batch(inputs[:images], np.zeros((images, 6)))
        features = inputs[:images].astype(np.float64) @ keras.ops.convert_to_numpy(model.layers[-1].kernel)
        assert float(loss) == pytest.approx(spectral(features, 0.5, count), abs=1e-5)
        assert images > 4 or spectral(features, 0.5, count) > 0.01


@pytest.mark.parametrize("images", [3, 9])
def test_bss_moves_kernels_by_its_gradient(images: int) -> None:
    keras.utils.set_random_seed(0)
    model = shrunk(Shrinkage(0.5, 3), rate=1.0)
    inputs = np.random.default_rng(0).normal(size=(9, 4))
    model.train_on_batch(inputs[:1], np.zeros((1, 6)))  # from the second size on TensorFlow knows none
    before = keras.ops.convert_to_numpy(model.layers[-1].kernel).astype(np.float64)
    model.train_on_batch(inputs[:images], np.zeros((images, 6)))
    gradient = np.zeros_like(before)
    for place in np.ndindex(before.shape):
        step = np.zeros_like(before)
        step[place] = 1e-5
        there, back = (spectral(inputs[:images] @ (before + sign * step), 0.5, 3) for sign in (1, -1))
        gradient[place] = (there - back) / 2e-5
    np.testing.assert_allclose(before - keras.ops.convert_to_numpy(model.layers[-1].kernel), gradient, atol=1e-5)
    assert abs(gradient).max() > 0.1
