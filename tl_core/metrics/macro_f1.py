"""Macro F1: the mean F1 of the classes."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.metrics import Interval, Labels, Metric, Probabilities, register
from tl_core.metrics._intervals import Weights, bootstrap_interval


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
        predicted = probabilities.argmax(axis=1)
        value = self.value(labels, probabilities)
        return bootstrap_interval(labels, value, lambda weights: weighted_f1(labels, predicted, weights))


def weighted_f1(labels: Labels, predicted: Labels, weights: Weights) -> NDArray[np.float64]:
    """Return the macro F1 (resamples,) of examples with these `weights` (n, resamples)."""
    from scipy.sparse import csr_array

    n, classes = len(labels), int(max(labels.max(), predicted.max())) + 1

    def of_class(which: Labels, counted: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        ones = np.ones(n, np.int64) if counted is None else counted.astype(np.int64)
        return np.asarray(csr_array((ones, (which, np.arange(n))), shape=(classes, n)) @ weights)

    right, taken = of_class(labels, labels == predicted), of_class(labels) + of_class(predicted)
    return (2 * right / np.maximum(taken, 1)).sum(axis=0) / (taken > 0).sum(axis=0)
