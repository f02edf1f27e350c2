"""What makes up for uneven classes: the adjusted loss, even draws, and the heads that are computed."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from tests.tools.interrupting import Attempt
from tests.tools.toy import TOY
from tl_core.data.balance import class_shares, drawn_evenly
from tl_core.heads import logistic
from tl_core.phases.phase import Balance, Learning, Phase, nothing
from tl_core.strategies import strategies
from tl_core.tasks.classification import ClassOutputs
from tl_core.training.solve import adjusted
from tl_core.training.train import train

SHARES = np.array([0.7, 0.2, 0.1])
LABELS = np.repeat([0, 1, 2], [70, 20, 10])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_adjusted_loss_is_that_of_shifted_logits(smoothing: float) -> None:
    """Menon et al. 2021, equation 10, with tau = 1."""
    logits = np.random.default_rng(0).normal(size=(len(LABELS), 3)).astype(np.float32)
    truth = np.eye(3)[LABELS] * (1 - smoothing) + smoothing / 3
    expected = -(truth * log_softmax(logits + np.log(SHARES), axis=1)).sum(axis=1).mean()
    learning = Learning(adjusted=True, label_smoothing=smoothing)
    given = np.eye(3, dtype=np.float32)[LABELS] if smoothing else LABELS
    found = ClassOutputs(("a", "b", "c"), SHARES).loss(learning)(given, softmax(logits, axis=1))
    assert float(keras.ops.convert_to_numpy(found)) == pytest.approx(expected, rel=1e-5)


def test_logistic_regression_that_is_shifted_is_that_of_the_adjusted_loss() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(100, 2)) + np.eye(3, 2)[LABELS]
    head = adjusted(logistic(features, LABELS, 3, strength=1.0, normalise=False), class_shares(LABELS, 3))

    def loss(flat: np.ndarray) -> float:
        kernel, bias = flat[:6].reshape(2, 3), flat[6:]
        said = log_softmax(features @ kernel + bias + np.log(SHARES), axis=1)
        return float(-said[np.arange(100), LABELS].sum() + (kernel**2).sum() / 2)

    best = minimize(loss, np.zeros(9), tol=1e-10).x
    expected = softmax(features @ best[:6].reshape(2, 3) + best[6:], axis=1)
    np.testing.assert_allclose(head.probabilities(features), expected, atol=2e-4)


def test_a_class_without_images_stays_as_it_is() -> None:
    shares = class_shares(np.array([0, 0, 2]), 3)
    head = logistic(np.array([[0.0], [1.0], [3.0]]), np.array([0, 0, 2]), 3, strength=1.0, normalise=False)
    assert adjusted(head, shares).bias[1] == head.bias[1]
    assert np.isfinite(adjusted(head, shares).bias).all()


def test_each_class_is_drawn_as_often() -> None:
    first, again, next_one = (drawn_evenly(LABELS, 2, (3, 0), epoch) for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.ptp(np.bincount(LABELS[first])) <= 1
    assert next_one.min() >= len(LABELS)  # of the second view
    assert len(first) == len(next_one) == len(LABELS)
    assert len(set(first[LABELS[first] == 0])) == np.count_nonzero(LABELS[first] == 0)  # of a large class none comes twice
    assert set(first[LABELS[first] == 2]) == set(np.flatnonzero(LABELS == 2))  # of a small one all come


@pytest.mark.parametrize(
    ("stored", "meant"), [(True, Balance.WEIGHTS), ("true", Balance.WEIGHTS), ("False", Balance.NONE), (False, Balance.NONE)]
)
def test_the_former_switch_is_read(stored: object, meant: Balance) -> None:
    for name in ("from_scratch", "linear_probe"):
        part: Any = strategies.part(name).model_validate({"balanced": stored})
        assert part.balanced is meant
        assert part.spec().settings["balanced"] is (meant is Balance.WEIGHTS)


def test_what_was_interrupted_before_there_was_a_choice_goes_on() -> None:
    """Its plan is described in the same words."""
    phase = Phase("all", 1, 0.1, 8, nothing)
    assert not {"sampled", "adjusted"} & phase.described(())["learning"].keys()
    assert replace(phase, learning=Learning(sampled=True)).described(())["learning"]["sampled"]


@pytest.mark.parametrize("balance", [Balance.SAMPLING, Balance.LOGITS])
def test_a_run_trains_with_it(balance: Balance) -> None:
    plain, balanced = (
        train(TOY.with_settings({"strategy.balanced": each, "strategy.epochs": 1, "strategy.batch_size": 8}), Attempt())
        for each in (Balance.NONE, balance)
    )
    probabilities = balanced.predictions.probabilities
    assert np.isfinite(probabilities).all()
    # Of even classes there is nothing to adjust, and as many of each are drawn, in another order.
    is_same = np.allclose(plain.predictions.probabilities, probabilities, atol=1e-3)
    assert is_same == (balance is Balance.LOGITS)
    assert balanced.result.train_sizes == (2,) * len(balanced.result.class_names)
