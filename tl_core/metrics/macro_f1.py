"""Macro F1: the mean F1 of the classes."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, Weights, register
from tl_core.metrics._intervals import bootstrap_interval, class_counts


@register("macro_f1")
class MacroF1(Metric):
    """The mean, over the classes, of F1, the harmonic mean of precision and recall: small classes count as much as large ones.

    Classes that no example is of, and none was taken for, are left out. Its interval is a stratified bootstrap.
    """

    title: ClassVar[str] = "Macro F1"
    listing_order: ClassVar[int] = 30

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import f1_score  # a second to import

        return float(f1_score(labels, probabilities.argmax(axis=1), average="macro", zero_division=0))

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        return bootstrap_interval(labels, self.value(labels, probabilities), self.statistic(labels, probabilities))

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        predicted = probabilities.argmax(axis=1)
        return lambda weights: weighted_f1(labels, predicted, weights)


def weighted_f1(labels: Labels, predicted: Labels, weights: Weights) -> NDArray[np.float64]:
    """Return the macro F1 (resamples,) of examples with these `weights` (n, resamples)."""
    classes = int(max(labels.max(), predicted.max())) + 1
    right = class_counts(labels, weights, classes, labels == predicted)
    taken = class_counts(labels, weights, classes) + class_counts(predicted, weights, classes)
    return (2 * right / np.maximum(taken, 1)).sum(axis=0) / (taken > 0).sum(axis=0)
