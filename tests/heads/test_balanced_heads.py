"""Balanced classes in heads that are computed: held to scikit-learn's, and followed into a run."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from threadpoolctl import threadpool_limits

from tests.tools.toy import FEW, begin
from tl_core.data.balance import class_weights
from tl_core.data.resizing import SquarePixels
from tl_core.datasets import Data
from tl_core.errors import SettingError
from tl_core.features.inputs import EncodedInputs
from tl_core.heads import class_means, head2toe, logistic, ridge, select_features
from tl_core.heads.closed_form import PENALTIES, temperature
from tl_core.spec import RunSpec

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
COUNTS = pytest.mark.parametrize("counts", [(40, 5), (40, 12, 4)], ids=["two classes", "three classes"])


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """What is compared with is on one thread, too."""
    with threadpool_limits(1, user_api="blas"):
        yield


def uneven(counts: tuple[int, ...], width: int = 6, seed: int = 0) -> tuple[Array, Labels, Array]:
    """So many images of each class, near enough to each other to be confused; their labels, and the balanced weights."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    means = np.random.default_rng(99).normal(size=(len(counts), width)) * 0.6
    weights = len(labels) / (len(counts) * np.array(counts))
    return 3.0 + means[labels] + generator.normal(size=(len(labels), width)), labels, weights


def cl2n(features: Array, centre: Array) -> Array:
    offsets = features - centre
    return np.asarray(offsets / np.linalg.norm(offsets, axis=1, keepdims=True))


@COUNTS
def test_logistic_is_that_of_scikit_learn(counts: tuple[int, ...]) -> None:
    features, labels, weights = uneven(counts)
    head = logistic(features, labels, len(counts), strength=2.0, class_weights=weights)
    points = cl2n(features, features.mean(axis=0))
    model = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=10_000).fit(points, labels)
    np.testing.assert_allclose(head.probabilities(features), model.predict_proba(points), atol=1e-4)


@COUNTS
def test_ridge_is_that_of_scikit_learn(counts: tuple[int, ...]) -> None:
    features, labels, weights = uneven(counts)
    head = ridge(features, labels, len(counts), class_weights=weights)
    points = cl2n(features, features.mean(axis=0))
    model = RidgeClassifier(alpha=head.chosen["penalty"], class_weight="balanced").fit(points, labels)
    scores = head.logits(features) * head.chosen["temperature"]
    if len(counts) == 2:
        scores = scores[:, 1]  # the other column is its opposite
    np.testing.assert_allclose(scores, model.decision_function(points), atol=1e-6)


@COUNTS
def test_penalty_and_temperature_of_ridge_are_chosen_with_the_weights(counts: tuple[int, ...]) -> None:
    """By as many refits as there are images, for each penalty."""
    features, labels, weights = uneven(counts)
    points, targets, rows = cl2n(features, features.mean(axis=0)), 2 * np.eye(len(counts))[labels] - 1, np.arange(len(labels))

    def left_out(penalty: float, index: Any) -> Array:
        kept = np.delete(rows, index)
        each = weights[labels[kept], None]
        mean, goal = (np.average(values[kept], axis=0, weights=each[:, 0]) for values in (points, targets))
        offsets = points[kept] - mean
        gram = offsets.T @ (each * offsets) + penalty * np.eye(points.shape[1])
        return np.asarray((points[index] - mean) @ np.linalg.solve(gram, offsets.T @ (each * (targets[kept] - goal))) + goal)

    scores = {penalty: np.stack([left_out(penalty, index) for index in rows]) for penalty in PENALTIES}
    errors = {penalty: float((weights[labels, None] * (found - targets) ** 2).mean()) for penalty, found in scores.items()}
    best = min(PENALTIES, key=lambda penalty: errors[penalty])
    head = ridge(features, labels, len(counts), class_weights=weights)
    assert head.chosen["penalty"] == pytest.approx(best)
    assert head.chosen["temperature"] == pytest.approx(temperature(scores[best], labels, weights[labels]), rel=1e-3)
    assert head.chosen["temperature"] != pytest.approx(temperature(scores[best], labels), rel=1e-2)


def test_weights_of_a_temperature_are_repetitions() -> None:
    """The more an image weighs, the less its scores say here."""
    generator = np.random.default_rng(3)
    scores, times = generator.normal(size=(3000, 3)), np.repeat([1, 2, 3], 1000)
    chances = softmax(scores / np.repeat([0.2, 1.0, 5.0], 1000)[:, None], axis=1)
    labels = (generator.random((3000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    repeated = temperature(np.repeat(scores, times, axis=0), np.repeat(labels, times))
    assert temperature(scores, labels, times.astype(float)) == pytest.approx(repeated, rel=1e-3)
    assert temperature(scores, labels) < 0.8 * repeated


def test_head2toe_weighs_its_choice_of_features_and_its_head() -> None:
    """The feature that tells the rare class is worth most once that class weighs as much as the others."""
    features, labels, weights = uneven((40, 40, 4))
    generator = np.random.default_rng(5)
    features[:, 0] += 1.5 * (labels == 1)
    features[:, 1] = 3.0 + generator.normal(size=len(labels)) + 2.0 * (labels == 2)
    plain, balanced = (select_features(features, labels, 3, keep=0.2, class_weights=each) for each in (None, weights))
    assert balanced.scores[1] > plain.scores[1]
    rare = labels == 2
    heads = [head2toe(features, labels, 3, keep=1.0, normalise=False, class_weights=each) for each in (None, weights)]
    without, sure = (head.probabilities(features)[rare, 2].mean() for head in heads)
    assert sure > without


def test_the_mean_of_a_class_needs_no_weight() -> None:
    """Whether a class's images come once or five times, all images get the same class."""
    features, labels, _ = uneven((20, 20, 4))
    repeated = np.concatenate([np.arange(len(labels)), *[np.flatnonzero(labels == 0)] * 4])
    same = class_means(features, labels, 3, normalise=False).logits(features).argmax(axis=1)
    more = class_means(features[repeated], labels[repeated], 3, normalise=False).logits(features).argmax(axis=1)
    np.testing.assert_array_equal(more, same)
    assert len(np.unique(same)) == 3


@pytest.mark.parametrize("solve", [logistic, ridge, head2toe])
def test_weights_of_classes_without_images_may_be_anything(solve: Any) -> None:
    features, labels, weights = uneven((20, 10, 4))
    absent = solve(features, labels, 4, class_weights=class_weights(labels, 4))
    exact = solve(features, labels, 4, class_weights=[*weights, 7.0])
    np.testing.assert_allclose(absent.probabilities(features), exact.probabilities(features), atol=1e-4)


@pytest.mark.parametrize("weights", [[1, 2], [1, 0, 1], [1, np.nan, 1]])
def test_weights_that_cannot_be(weights: list[float]) -> None:
    features, labels, _ = uneven((9, 6, 3))
    with pytest.raises(SettingError, match=r"3 positive numbers.*Received"):
        ridge(features, labels, 3, class_weights=weights)


class Fitted:
    """The first phase of a run on the toy, whose training images are 9, 6 and 3 of the first classes and one of all others."""

    def __init__(self, strategy: str, **settings: Any) -> None:
        named = {f"strategy.{name}": value for name, value in settings.items()}
        few = FEW | {"dataset.labels_per_class": 9, "strategy": strategy, "image_size": 16}
        self.training, phases = begin(change=thinned, spec=RunSpec().with_settings(few | named))
        self.training.train_phase(phases[0])
        train, model = EncodedInputs(self.training.data.train, SquarePixels(16)), self.training.model
        pixels, self.labels = train.batch(np.arange(len(train))).astype(np.float32), train.labels
        self.features = np.asarray(self.training.network.model.predict_on_batch(pixels), np.float64)
        self.probabilities = np.asarray(model.predict_on_batch(pixels))
        self.chosen = self.training.state.records[0].chosen


def thinned(data: Data) -> Data:
    kept = {0: 9, 1: 6, 2: 3}
    rows = [np.flatnonzero(data.train.labels == label)[: kept.get(label, 1)] for label in range(len(data.class_names))]
    return replace(data, train=data.train.take(np.concatenate(rows)))


@pytest.mark.parametrize("strategy", ["linear_probe", "lp_ft", "l2_sp"])
def test_a_run_balances_the_head_that_it_computes(strategy: str) -> None:
    plain, balanced = (Fitted(strategy, strength=3.0, balanced=each) for each in (False, True))
    points = cl2n(balanced.features, balanced.features.mean(axis=0))
    for run, weight in ((plain, None), (balanced, "balanced")):
        model = LogisticRegression(C=3.0, class_weight=weight, tol=1e-8, max_iter=10_000).fit(points, run.labels)
        np.testing.assert_allclose(run.probabilities, model.predict_proba(points), atol=2e-3)
    assert np.abs(plain.probabilities - balanced.probabilities).max() > 0.02


def test_a_run_balances_a_ridge_head() -> None:
    run = Fitted("linear_probe", solver="ridge", balanced=True)
    points = cl2n(run.features, run.features.mean(axis=0))
    model = RidgeClassifier(alpha=run.chosen["penalty"], class_weight="balanced").fit(points, run.labels)
    expected = softmax(model.decision_function(points) / run.chosen["temperature"], axis=1)
    np.testing.assert_allclose(run.probabilities, expected, atol=2e-3)


def test_a_run_balances_head2toe() -> None:
    plain, balanced = (Fitted("head2toe", keep=1.0, balanced=each) for each in (False, True))
    rare = plain.labels > 2
    truth = [run.probabilities[np.arange(len(rare)), run.labels][rare].mean() for run in (plain, balanced)]
    assert truth[1] > truth[0]
