"""Metrics of predicted numbers: scikit-learn's and SciPy's values, and intervals that hold what they should."""

from collections.abc import Callable
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as theirs

from tests.metrics.examples import examples
from tl_core.analysis.statistics import mean_interval
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.metrics import default_metrics, measure, metrics
from tl_core.metrics._intervals import RESAMPLES, stratified_weights

Numbers = NDArray[np.float64]

EXPECTED: dict[str, Callable[[Numbers, Numbers], Any]] = {
    "mae": theirs.mean_absolute_error,
    "rmse": theirs.root_mean_squared_error,
    "r2": theirs.r2_score,
    "spearman": lambda true, found: stats.spearmanr(true, found).statistic,
}


def numbers(n: int = 200, noise: float = 5.0, centre: float = 30.0) -> tuple[Numbers, Numbers]:
    rng = np.random.default_rng(n)
    true = rng.normal(centre, 10.0, n)
    return true, true + rng.normal(0.0, noise, n)


KINDS = {
    "plain": numbers(),
    "ties": tuple(np.round(each / 5) for each in numbers()),
    "far from 0": numbers(centre=1e6),
    "useless": (numbers()[0], np.random.default_rng(1).normal(size=200)),
    "two": numbers(2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_value_is_that_of_scikit_learn_or_scipy(name: str, kind: str) -> None:
    true, found = KINDS[kind]
    np.testing.assert_allclose(metrics.part(name)().value(true, found), EXPECTED[name](true, found), rtol=1e-12, atol=1e-12)


def test_a_constant_has_neither_a_share_of_variance_nor_ranks() -> None:
    same, other = np.full(20, 3.0), np.arange(20.0)
    assert isnan(metrics.part("r2")().value(same, other))
    assert isnan(metrics.part("spearman")().value(same, other))
    assert isnan(metrics.part("spearman")().value(other, same))


def test_closed_forms() -> None:
    true, found = numbers()
    errors = np.abs(true - found)
    mae, rmse = (metrics.part(name)().interval(true, found) for name in ("mae", "rmse"))
    assert mae == mean_interval(errors, 0.0)
    squares = mean_interval(errors**2, 0.0)
    assert rmse
    assert (rmse.low, rmse.high) == pytest.approx((sqrt(squares.low), sqrt(squares.high)))


def test_r_squared_is_resampled_as_scikit_learn_would_compute_it() -> None:
    true, found = numbers(40)
    values = [
        theirs.r2_score(true, found, sample_weight=weights[:, column])
        for weights in stratified_weights(true)
        for column in range(weights.shape[1])
    ]
    assert len(values) == RESAMPLES
    interval = metrics.part("r2")().interval(true, found)
    assert interval
    np.testing.assert_allclose((interval.low, interval.high), np.quantile(values, [0.025, 0.975]), rtol=1e-9)


def test_numbers_are_drawn_again_from_all() -> None:
    weights = np.concatenate(list(stratified_weights(numbers(50)[0])), axis=1)
    assert (weights.sum(axis=0) == 50).all()
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)


@pytest.mark.parametrize("name", EXPECTED)
def test_intervals_cover(name: str) -> None:
    """Of 200 small test sets some 95 % of the intervals hold what a very large one has."""
    rng, metric = np.random.default_rng(0), metrics.part(name)()
    true = rng.normal(size=100_000)
    found = true + rng.normal(0.0, 0.5, len(true))
    exact, held = metric.value(true, found), 0
    for rows in rng.integers(len(true), size=(200, 60)):
        interval = metric.interval(true[rows], found[rows])
        held += bool(interval and interval.low <= exact <= interval.high)
    assert 0.89 <= held / 200 <= 1


def test_each_task_is_measured_by_its_own_metrics() -> None:
    true, found = numbers()
    assert [value.name for value in measure(true, found, kind=NUMBERS)] == list(EXPECTED)
    assert not {metric.name for metric in default_metrics(5, CLASSES)} & set(EXPECTED)
    assert {value.name for value in measure(*examples())} == {metric.name for metric in default_metrics(5)}


def test_a_model_that_diverged_has_no_value() -> None:
    true, found = numbers()
    found[3] = nan
    assert all(isnan(value.value) and value.low is None for value in measure(true, found, kind=NUMBERS))
