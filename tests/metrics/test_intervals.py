"""Intervals: cases from the literature or counted by hand, and what a bootstrap draws. Coverage is in benchmarks."""

from math import isnan, log, sqrt

import numpy as np
import pytest

from tests.metrics.examples import examples
from tl_core.analysis.statistics import Z95, mean_share_interval, wilson
from tl_core.data.label_kinds import CLASSES
from tl_core.metrics import _intervals as intervals
from tl_core.metrics import metrics
from tl_core.metrics.cohen_kappa import standard_error
from tl_core.metrics.roc_auc import RocAuc, delong

CLOSED_FORM = ("accuracy", "balanced_accuracy", "top_5", "log_loss", "cohen_kappa", "cost")


def test_kappa_of_two_psychiatrists() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions (2003): kappa is 0.676, its standard error 0.087."""
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    labels, predicted = (np.repeat(each.ravel(), table.ravel()) for each in np.indices(table.shape))
    probabilities = np.eye(3, dtype=np.float32)[predicted]
    kappa = metrics.part("cohen_kappa")().value(labels, probabilities)
    assert kappa == pytest.approx(0.676, abs=5e-4)
    assert standard_error(labels, predicted, kappa) == pytest.approx(0.087, abs=1e-3)


def test_kappa_has_the_error_of_its_matrix() -> None:
    """The formula of Fleiss, Cohen and Everitt (1969), written with sums over cells."""
    labels, probabilities = examples(classes=4)
    predicted = probabilities.argmax(axis=1)
    shares = np.zeros((4, 4))
    np.add.at(shares, (labels, predicted), 1 / len(labels))
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = rows @ columns
    kappa = (np.trace(shares) - chance) / (1 - chance)
    same = sum(shares[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(4))
    other = sum(shares[i, j] * (columns[i] + rows[j]) ** 2 for i in range(4) for j in range(4) if i != j)
    variance = same + (1 - kappa) ** 2 * other - (kappa - chance * (1 - kappa)) ** 2
    expected = sqrt(variance / len(labels)) / (1 - chance)
    assert standard_error(labels, predicted, kappa) == pytest.approx(expected, rel=1e-10)


def test_two_classes_have_the_error_of_delong() -> None:
    """The structural components, counted pair by pair."""
    labels, probabilities = examples(60, 2)
    scores = probabilities[:, 1].astype(float)
    probabilities = np.stack([1 - probabilities[:, 1], probabilities[:, 1]], axis=1)
    pairs = np.sign(scores[labels == 1][:, np.newaxis] - scores[labels == 0]) / 2 + 0.5
    positive, negative = pairs.mean(axis=1), pairs.mean(axis=0)
    expected = sqrt(positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative))
    assert delong(labels, probabilities) == pytest.approx((pairs.mean(), expected), rel=1e-9)


def test_delong_of_a_case_by_hand() -> None:
    """Of two and two examples one pair stands the wrong way: the AUC is 3/4, the components 1, 1/2 on either side."""
    labels, score = np.array([1, 0, 1, 0]), np.array([0.9, 0.7, 0.6, 0.2])
    probabilities = np.stack([1 - score, score], axis=1).astype(np.float32)
    area, error = delong(labels, probabilities)
    assert area == 0.75
    assert error == pytest.approx(sqrt(0.125 / 2 + 0.125 / 2))
    interval = RocAuc().interval(labels, probabilities)
    assert interval
    for end, sign in ((interval.low, -1), (interval.high, 1)):
        assert log(end / (1 - end)) == pytest.approx(log(3) + sign * Z95 * error / (0.75 * 0.25))


def test_the_mean_of_one_share_has_its_own_interval_and_of_two_a_narrower_one() -> None:
    alone, both = mean_share_interval([8], [10]), mean_share_interval([8, 8], [10, 10])
    assert (alone.low, alone.high) == pytest.approx((wilson(8, 10).low, wilson(8, 10).high))
    assert 0.8 - both.low == pytest.approx((0.8 - alone.low) / sqrt(2))
    assert both.high - 0.8 == pytest.approx((alone.high - 0.8) / sqrt(2))


@pytest.mark.parametrize("n", [7, 300])
def test_a_resample_keeps_the_size_of_each_class(n: int) -> None:
    labels, _ = examples(n)
    weights = np.concatenate(list(intervals.stratified_weights(labels)), axis=1)
    assert weights.shape == (n, intervals.RESAMPLES)
    for label in np.unique(labels):
        assert (weights[labels == label].sum(axis=0) == (labels == label).sum()).all()
    np.testing.assert_allclose(weights.mean(axis=1), 1, atol=0.2)


def test_resamples_take_bounded_memory() -> None:
    labels, _ = examples(100_000)
    first = next(intervals.stratified_weights(labels))
    assert first.size <= intervals.CHUNK


def test_a_model_without_a_mistake_has_an_interval_only_where_one_is_honest() -> None:
    labels = np.arange(60) % 6
    perfect = np.eye(6, dtype=np.float32)[labels]
    found = {name: part().interval(labels, perfect) for name, part in metrics.parts().items() if part.label_kind == CLASSES}
    assert {name for name, interval in found.items() if interval} == {"accuracy", "balanced_accuracy", "top_5"}
    assert isnan(delong(labels[:6], perfect[:6])[1])  # one example of each class


def test_many_classes_have_intervals_where_they_are_quick() -> None:
    labels, probabilities = examples(2000, 1500, sharpness=6.0)
    found = {name: part().interval(labels, probabilities) for name, part in metrics.parts().items() if part.label_kind == CLASSES}
    assert {name for name in ("average_precision", "recall_at_precision") if found[name]} == set()
    assert all(found[name] for name in (*CLOSED_FORM, "macro_f1"))
