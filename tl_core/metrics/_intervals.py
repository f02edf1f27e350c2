"""Intervals of metrics that have a standard error, or only the spread of resamples."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Z95, Interval

Labels = NDArray[np.int64]
Weights = NDArray[np.int32]
"""How often each example is in each resample, (n, resamples)."""
Statistic = Callable[[Weights], NDArray[np.float64]]
"""From the weights of resamples to the value in each, (resamples,)."""

RESAMPLES = 1000
SEED = 0
MAX_WORK = 1_000_000
"""Examples times passes over them, for each resample, beyond which there is no interval: some 5 s on one core."""
CHUNK = 1 << 19
"""Weights that are in memory at once, unless one resample has more."""


def around(value: float, low: float, high: float) -> Interval | None:
    """Return the interval from `low` to `high`, widened to hold `value`; None where it has no width."""
    return Interval(min(low, value), max(high, value)) if low < high else None


def normal_interval(value: float, error: float, lowest: float, highest: float) -> Interval | None:
    """Return the 95% interval of a normal estimate with standard `error`, within `lowest`..`highest`; None without an error."""
    return around(value, max(lowest, value - Z95 * error), min(highest, value + Z95 * error))


def bootstrap_interval(labels: NDArray[Any], value: float, statistic: Statistic, passes: int = 1) -> Interval | None:
    """Return the 95% interval of `value` by a stratified bootstrap, from the quantiles of the resamples (Davison and Hinkley
    1997); None where that takes too long, or where a resample has no value.

    The examples, of the classes `labels` (n,), are drawn again within each class, so that it keeps its size; see
    `stratified_weights`. `statistic` gives the value in each resample, and goes over all weights `passes` times.
    """
    if len(labels) * passes > MAX_WORK:
        return None
    values = np.concatenate([statistic(weights) for weights in stratified_weights(labels)])
    if not len(values):
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return around(value, float(low), float(high))


def defined_bootstrap(labels: NDArray[Any], value: float, statistic: Statistic, passes: int = 1) -> Interval | None:
    """Return the interval that `bootstrap_interval` gives. A resample in which the statistic is not defined, such as one of a
    single example, counts for nothing; None where none is."""

    def defined(weights: Weights) -> NDArray[np.float64]:
        values = statistic(weights)
        return values[np.isfinite(values)]

    return bootstrap_interval(labels, value, defined, passes)


def mean_of(each: NDArray[np.float64] | NDArray[np.bool_]) -> Statistic:
    """Return the mean of a number of each example (n,) as a statistic."""
    shares = each / len(each)
    return lambda weights: shares @ weights


def class_counts(which: Labels, weights: Weights, classes: int, counted: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return how many examples are of each class in each resample, (classes, resamples): of all, or of those that are `counted`
    (n,). `which` (n,) says the class of each."""
    from scipy.sparse import csr_array  # half a second to import

    ones = np.ones(len(which), np.int64) if counted is None else counted.astype(np.int64)
    return np.asarray(csr_array((ones, (which, np.arange(len(which)))), shape=(classes, len(which))) @ weights)


def stratified_weights(labels: NDArray[Any], resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Weights]:
    """Yield so many `resamples` within each class of `labels` (n,), for a `seed` always the same ones, at most `CHUNK` weights at
    a time. Of labels that are no classes, int64, all are drawn from together."""
    labels = labels if np.issubdtype(labels.dtype, np.integer) else np.zeros(len(labels), np.int64)
    rng = np.random.default_rng(seed)
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    first, size = (np.repeat(each, sizes)[:, np.newaxis] for each in (starts, sizes))
    columns = max(1, CHUNK // len(labels))
    for begin in range(0, resamples, columns):
        count = min(columns, resamples - begin)
        drawn = first + (rng.random((len(labels), count)) * size).astype(np.int64)
        cells = (order[drawn] * count + np.arange(count)).ravel()
        yield np.bincount(cells, minlength=len(labels) * count).reshape(-1, count).astype(np.int32)
