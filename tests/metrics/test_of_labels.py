"""Metrics of several labels an example: scikit-learn's values, as they are and in resamples, and intervals that hold what they
should."""

from collections.abc import Callable
from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as theirs

from tl_core.analysis.statistics import wilson
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.metrics import default_metrics, measure, metrics
from tl_core.metrics._intervals import stratified_weights

Sets = NDArray[np.bool_]
Said = NDArray[np.float32]


def examples(n: int = 200, sharpness: float = 1.0, shares: tuple[float, ...] = (0.5, 0.3, 0.1, 0.05)) -> tuple[Sets, Said]:
    rng = np.random.default_rng(n)
    labels = rng.random((n, len(shares))) < shares
    logits = sharpness * (3 * labels - 1.5 + 1.5 * rng.normal(size=labels.shape))
    return labels, (1 / (1 + np.exp(-logits))).astype(np.float32)


def present(score: Callable[..., Any], labels: Sets, said: Said, **weights: Any) -> float:
    """scikit-learn's mean over the labels that an example has, or is said to have."""
    there = np.flatnonzero((labels | (said >= 0.5)).any(axis=0))
    return float(score(labels[:, there], said[:, there] >= 0.5, average="macro", zero_division=0, **weights))


def ranked(labels: Sets, said: Said, **weights: Any) -> float:
    there = labels.any(axis=0)
    return float(theirs.average_precision_score(labels[:, there], said[:, there], average="macro", **weights))


EXPECTED: dict[str, Callable[..., float]] = {
    "mean_average_precision": ranked,
    "micro_f1": lambda labels, said, **weights: theirs.f1_score(labels, said >= 0.5, average="micro", **weights),
    "label_macro_f1": lambda labels, said, **weights: present(theirs.f1_score, labels, said, **weights),
    "subset_accuracy": lambda labels, said, **weights: theirs.accuracy_score(labels, said >= 0.5, **weights),
    "hamming_loss": lambda labels, said, **weights: theirs.hamming_loss(labels, said >= 0.5, **weights),
}
LABELS, SAID = examples()
KINDS = {
    "plain": (LABELS, SAID),
    "ties": (LABELS, np.round(8 * SAID) / np.float32(8)),
    "a label without an example": (LABELS & np.array([True, True, True, False]), SAID),
    "nobody has the last, and nobody is said to": (
        LABELS & np.array([True, True, True, False]),
        SAID * np.array([1, 1, 1, 0.1], np.float32),
    ),
    "all have the first": (LABELS | np.array([True, False, False, False]), SAID),
    "two": (LABELS[:2], SAID[:2]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_value_is_that_of_scikit_learn(name: str, kind: str) -> None:
    labels, said = KINDS[kind]
    np.testing.assert_allclose(metrics.part(name)().value(labels, said), EXPECTED[name](labels, said), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_resample_has_the_value_that_scikit_learn_gives_with_its_weights(name: str) -> None:
    labels, said = examples(60, shares=(0.5, 0.4, 0.3))
    weights = next(stratified_weights(labels, 20))
    statistic = metrics.part(name)().statistic(labels, said)
    assert statistic
    expected = [EXPECTED[name](labels, said, sample_weight=column) for column in weights.T]
    np.testing.assert_allclose(statistic(weights), expected, rtol=1e-12, atol=1e-12)


def test_examples_are_drawn_again_from_all() -> None:
    weights = np.concatenate(list(stratified_weights(LABELS)), axis=1)
    assert (weights.sum(axis=0) == len(LABELS)).all()
    assert (weights == 0).mean() == pytest.approx((1 - 1 / len(LABELS)) ** len(LABELS), abs=0.01)


def test_subset_accuracy_has_wilsons_interval() -> None:
    right = int((np.round(SAID) == LABELS).all(axis=1).sum())
    assert metrics.part("subset_accuracy")().interval(LABELS, SAID) == wilson(right, len(LABELS))


@pytest.mark.parametrize("name", EXPECTED)
def test_intervals_cover(name: str) -> None:
    """Of 200 small test sets some 95 % of the intervals hold what a very large one has."""
    rng, metric = np.random.default_rng(0), metrics.part(name)()
    labels, said = examples(50_000, shares=(0.5, 0.3, 0.2))
    exact, held = metric.value(labels, said), 0
    for rows in rng.integers(len(labels), size=(200, 80)):
        interval = metric.interval(labels[rows], said[rows])
        held += bool(interval and interval.low <= exact <= interval.high)
    assert 0.89 <= held / 200 <= 1


def test_nothing_there_and_nothing_said_has_no_f1() -> None:
    nothing, low = np.zeros((8, 3), bool), np.full((8, 3), 0.1, np.float32)
    found = {metric.name: metric.measure(nothing, low) for metric in default_metrics(3, MULTI_LABELS)}
    assert [name for name, value in found.items() if isnan(value.value)] == list(EXPECTED)[:3]
    assert found["subset_accuracy"].value == 1


def test_each_task_is_measured_by_its_own_metrics() -> None:
    assert [value.name for value in measure(LABELS, SAID, kind=MULTI_LABELS)] == list(EXPECTED)
    broken = SAID.copy()
    broken[3, 1] = nan
    assert all(isnan(value.value) and value.low is None for value in measure(LABELS, broken, kind=MULTI_LABELS))
