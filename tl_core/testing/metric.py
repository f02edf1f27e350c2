"""What every metric keeps to: one number that means the same whatever the order, with an interval that holds it, or none."""

import json
import warnings
from itertools import product
from math import isfinite, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import NUMBERS
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.metrics import Better, Labels, Metric, MetricValue, Probabilities

CLASSES = 8
"""In the checks. `example()` has to measure so many."""


def check_tells_good_from_bad(part: type[Metric]) -> None:
    """Check that a model that is sure and right is better than one that is as sure and wrong, on the side that `better` names."""
    labels, good = _examples(part, sharpness=8.0)
    metric, bad = part.example(), np.roll(good, 1, axis=-1)
    right, wrong = metric.value(labels, good), metric.value(labels, bad)
    assert right > wrong if metric.better is Better.HIGHER else right < wrong
    if metric.percent:
        assert 0 <= min(right, wrong) <= max(right, wrong) <= 1


def check_does_not_depend_on_the_order(part: type[Metric]) -> None:
    """Check that the value of shuffled examples is the same, and that neither labels nor probabilities are changed."""
    labels, probabilities = _examples(part)
    order = np.random.default_rng(1).permutation(len(labels))
    metric, before = part.example(), probabilities.copy()
    np.testing.assert_allclose(metric.value(labels[order], probabilities[order]), metric.value(labels, probabilities), rtol=1e-12)
    metric.interval(labels, probabilities)
    np.testing.assert_array_equal(probabilities, before)


def check_the_interval_holds_the_value(part: type[Metric]) -> None:
    """Check that it does, is the same each time, and is narrower with sixteen times as many examples."""
    labels, probabilities = _examples(part)
    metric = part.example()
    interval = metric.interval(labels, probabilities)
    if interval is not None:
        assert interval.low <= metric.value(labels, probabilities) <= interval.high
        assert metric.interval(labels, probabilities) == interval
        more = metric.interval(np.concatenate([labels] * 16), np.concatenate([probabilities] * 16))
        assert more is None or more.high - more.low < interval.high - interval.low


def check_a_resample_has_the_value_of_its_examples(part: type[Metric]) -> None:
    """Check that `statistic` gives what `value` gives of the examples as they are, and of resamples of them."""
    labels, probabilities = _examples(part)
    metric = part.example()
    statistic = metric.statistic(labels, probabilities)
    if statistic is None:
        assert metric.difference(labels, probabilities, probabilities) is None
        return
    drawn_within, rng = part.label_kind.drawn_within(labels), np.random.default_rng(2)
    groups = [np.flatnonzero(drawn_within == group) for group in np.unique(drawn_within)]
    draws = [np.arange(len(labels)), *(np.concatenate([rng.choice(rows, len(rows)) for rows in groups]) for _ in range(3))]
    weights = np.stack([np.bincount(rows, minlength=len(labels)) for rows in draws], axis=1)
    expected = [metric.value(labels[rows], probabilities[rows]) for rows in draws]
    np.testing.assert_allclose(statistic(weights.astype(np.int32)), expected, rtol=1e-9, atol=1e-12)


def check_the_difference_of_two_models_is_paired(part: type[Metric]) -> None:
    """Check that a model does not differ from itself, and that its interval from another one holds the difference of their
    values, is the same each time, and changes its sign with the order."""
    labels, good = _examples(part, sharpness=2.0)
    metric, poor = part.example(), _examples(part, sharpness=0.5)[1]
    assert metric.difference(labels, good, good) is None
    interval, back = metric.difference(labels, good, poor), metric.difference(labels, poor, good)
    assert (interval is None) == (back is None)
    if interval is not None and back is not None:
        assert interval.low <= metric.value(labels, good) - metric.value(labels, poor) <= interval.high
        assert metric.difference(labels, good, poor) == interval
        np.testing.assert_allclose([interval.low, interval.high], [-back.high, -back.low], rtol=1e-9, atol=1e-12)


def check_measures_whatever_is_given(part: type[Metric]) -> None:
    """Check that a class without an example, one example, ties, certainty and failure give numbers or NaN, and no warning."""
    metric = part.example()
    for classes, n, sharpness in product((0, 1, 2, CLASSES), (1, 2, 3, 40), (0.0, 1.0, 1000.0)):
        labels, probabilities = _examples(part, n, sharpness)
        labels = _of_fewer(labels, classes)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _require_plain(metric.measure(labels, probabilities), metric)
    labels, probabilities = _examples(part)
    assert isnan(metric.measure(labels, probabilities * np.float32("nan")).value)


def _require_plain(found: MetricValue, metric: Metric) -> None:
    assert (found.name, found.better) == (metric.name, metric.better)
    assert isnan(found.value) or isfinite(found.value)
    assert (found.low is None) == (found.high is None)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
        assert isfinite(found.high - found.low)
    stored = found.model_dump_json()
    json.dumps(json.loads(stored), allow_nan=False)  # which would raise ValueError
    assert MetricValue.model_validate_json(stored).model_dump_json() == stored


def _examples(part: type[Metric], n: int = 160, sharpness: float = 1.0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels as `part` has them, and what knows them the better the larger `sharpness` is: at 0 all are equal, at 1000
    exact."""
    made = {NUMBERS: _numbers, MULTI_LABELS: _sets}.get(part.label_kind, _classes)
    labels, predicted = made(n, sharpness)
    predicted.flags.writeable = labels.flags.writeable = False
    return labels, predicted


def _of_fewer(labels: NDArray[Any], classes: int) -> NDArray[Any]:
    """Return labels of so many classes alone; for 0 others, so that what is sharp is never right."""
    if labels.ndim > 1:
        return labels & (np.arange(labels.shape[1]) < classes) if classes else ~labels
    return labels % classes if classes else (labels + 1) % CLASSES


def _sets(n: int, sharpness: float) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(n)
    labels = rng.random((n, CLASSES)) < np.linspace(0.1, 0.7, CLASSES)
    logits = sharpness * (4 * labels - 2 + 2 * rng.normal(size=labels.shape) * (sharpness < 100))
    return labels, (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)


def _numbers(n: int, sharpness: float) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(n)
    labels = np.round(rng.normal(30.0, 10.0, n), 1)
    noise = 10.0 * rng.normal(size=n) * (sharpness < 100)
    return labels, labels + noise / sharpness if sharpness else np.full(n, 30.0)


def _classes(n: int, sharpness: float) -> tuple[Labels, Probabilities]:
    rng = np.random.default_rng(n)
    labels = rng.permutation(np.arange(n, dtype=np.int64) % CLASSES)
    logits = sharpness * (np.eye(CLASSES)[labels] * 2 + rng.normal(size=(n, CLASSES)) * (sharpness < 100))
    logits -= logits.max(axis=1, keepdims=True)
    exponents = np.exp(logits)
    return labels, (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
