"""Micro F1: F1 of all labels together."""

from math import nan
from typing import ClassVar

import numpy as np

from tl_core.metrics import Interval, Statistic, register
from tl_core.metrics._intervals import Weights, defined_bootstrap
from tl_core.metrics._of_labels import LabelMetric, LabelSets, Said, predicted


@register("micro_f1")
class MicroF1(LabelMetric):
    """F1, the harmonic mean of precision and recall, of the labels of all examples together: frequent labels decide it.

    Its interval is a bootstrap over the examples.
    """

    title: ClassVar[str] = "Micro F1"
    listing_order: ClassVar[int] = 220

    def value(self, labels: LabelSets, probabilities: Said) -> float:
        from sklearn.metrics import f1_score  # a second to import

        found = predicted(probabilities)
        return float(f1_score(labels, found, average="micro")) if (labels | found).any() else nan

    def interval(self, labels: LabelSets, probabilities: Said) -> Interval | None:
        return defined_bootstrap(labels, self.value(labels, probabilities), self.statistic(labels, probabilities))

    def statistic(self, labels: LabelSets, probabilities: Said) -> Statistic:
        found = predicted(probabilities)
        right, taken = 2 * (labels & found).sum(axis=1), labels.sum(axis=1) + found.sum(axis=1)

        def each(weights: Weights) -> Said:
            whole = taken @ weights
            return np.where(whole > 0, right @ weights / np.maximum(whole, 1), nan)

        return each
