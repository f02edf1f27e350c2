"""Precision and recall at every threshold, of one class against the rest, for many weightings of the examples at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.metrics import Interval, Labels, Probabilities
from tl_core.metrics._intervals import MAX_WORK, Statistic, Weights, bootstrap_interval

Counts = NDArray[np.int64]


def mean_over_classes(
    labels: Labels, probabilities: Probabilities, score: Callable[[NDArray[np.bool_], NDArray[np.float32]], float]
) -> float:
    """Return the mean of `score(is of the class, its probabilities)` over the classes that have examples."""
    return float(np.mean([score(labels == label, probabilities[:, label]) for label in np.unique(labels)]))


class PrecisionRecall:
    """The curve of one class: sorted once, counted for any weights.

    `positive` (n,) says which examples are of the class, at least one, and `scores` (n,) how probable it is for each. Precision
    rises only where a threshold takes in examples of the class, so those thresholds are all that count.
    """

    def __init__(self, positive: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> None:
        order = np.argsort(-scores, kind="stable")
        of_class = np.flatnonzero(positive[order])
        # Examples of equal scores come in together.
        ends = np.unique(np.searchsorted(-scores[order], -scores[order[of_class]], side="right"))
        self._starts = np.concatenate([[0], ends[:-1]])
        self._taken = order[: ends[-1]]
        self._positive, self._positive_starts = order[of_class], np.searchsorted(of_class, self._starts)

    def counts(self, weights: Weights) -> tuple[Counts, Counts]:
        """Return how many examples of the class (thresholds, resamples) are taken in at each threshold, and how many of any."""
        right = np.add.reduceat(weights[self._positive], self._positive_starts, axis=0, dtype=weights.dtype)
        taken = np.add.reduceat(weights[self._taken], self._starts, axis=0, dtype=weights.dtype)
        return right.cumsum(axis=0), taken.cumsum(axis=0)


def precisions(right: Counts, taken: Counts) -> NDArray[np.float64]:
    """Return the precision at each threshold, 0 where a resample has taken in nothing yet."""
    return right / np.maximum(taken, 1)


def average_precision(right: Counts, taken: Counts) -> NDArray[np.float64]:
    """Return the mean of the precision over the gains in recall, (resamples,); 0 of one without an example of the class."""
    return (np.diff(right, axis=0, prepend=0) * precisions(right, taken)).sum(axis=0) / np.maximum(right[-1], 1)


def recall_at_precision(right: Counts, taken: Counts, precision: float) -> NDArray[np.float64]:
    """Return the greatest recall at which the precision is at least so high, 0 where it never is, (resamples,)."""
    return np.where(precisions(right, taken) >= precision, right, 0).max(axis=0) / right[-1]


def curve_interval(
    labels: Labels,
    probabilities: Probabilities,
    value: Callable[[Labels, Probabilities], float],
    score: Callable[[Counts, Counts], NDArray[np.float64]],
    classes: NDArray[np.int64] | None = None,
) -> Interval | None:
    """Return the bootstrap's interval of a mean over classes; None where they and the examples are too many.

    Args:
        labels, probabilities: As in `Metric.value`.
        value: Gives it for the examples as they are.
        score: Gives the score of a class in each resample, from what `PrecisionRecall.counts` gives.
        classes: The classes it is the mean over, each with an example; None is all that have one.
    """
    present = np.unique(labels) if classes is None else classes
    if len(labels) * len(present) > MAX_WORK:
        return None  # before all is sorted
    statistic = curve_statistic(labels, probabilities, score, present)
    return bootstrap_interval(labels, value(labels, probabilities), statistic, passes=len(present))


def curve_statistic(
    labels: Labels,
    probabilities: Probabilities,
    score: Callable[[Counts, Counts], NDArray[np.float64]],
    classes: NDArray[np.int64] | None = None,
) -> Statistic:
    """Return the mean of `score` over the classes as a statistic. Arguments as in `curve_interval`."""
    present = np.unique(labels) if classes is None else classes
    curves = [PrecisionRecall(labels == label, probabilities[:, label]) for label in present]
    return lambda weights: np.mean([score(*curve.counts(weights)) for curve in curves], axis=0)
