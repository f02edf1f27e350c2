"""Macro F1 of labels: the mean F1 of each label."""

from math import nan
from typing import ClassVar

import numpy as np

from tl_core.metrics import Interval, Statistic, register
from tl_core.metrics._intervals import MAX_WORK, Weights, defined_bootstrap
from tl_core.metrics._of_labels import LabelMetric, LabelSets, Said, predicted, totals


@register("label_macro_f1")
class LabelMacroF1(LabelMetric):
    """The mean, over the labels, of F1, the harmonic mean of precision and recall: rare labels count as much as frequent ones.

    Labels that no example has, and none was said to have, are left out. Its interval is a bootstrap over the examples.
    """

    title: ClassVar[str] = "Macro F1 of labels"
    listing_order: ClassVar[int] = 230

    def value(self, labels: LabelSets, probabilities: Said) -> float:
        from sklearn.metrics import f1_score  # a second to import

        found = predicted(probabilities)
        there = np.flatnonzero((labels | found).any(axis=0))
        return float(f1_score(labels, found, average="macro", labels=there, zero_division=0)) if len(there) else nan

    def interval(self, labels: LabelSets, probabilities: Said) -> Interval | None:
        if labels.size > MAX_WORK:
            return None
        value, statistic = self.value(labels, probabilities), self.statistic(labels, probabilities)
        return defined_bootstrap(labels, value, statistic, self.passes(labels))

    def statistic(self, labels: LabelSets, probabilities: Said) -> Statistic:
        found = predicted(probabilities)

        def each(weights: Weights) -> Said:
            right, taken = totals(labels, found, weights)
            there = (taken > 0).sum(axis=0)
            return np.where(there > 0, (2 * right / np.maximum(taken, 1)).sum(axis=0) / np.maximum(there, 1), nan)

        return each

    def passes(self, labels: LabelSets) -> int:
        return labels.shape[1]
