"""Mean average precision: how well each label's examples are ranked, as the mean over the labels."""

from collections.abc import Iterable
from math import nan
from typing import ClassVar

import numpy as np

from tl_core.metrics import Interval, Statistic, register
from tl_core.metrics._curves import PrecisionRecall, average_precision
from tl_core.metrics._intervals import MAX_WORK, defined_bootstrap
from tl_core.metrics._of_labels import LabelMetric, LabelSets, Said, Totals


@register("mean_average_precision")
class MeanAveragePrecision(LabelMetric):
    """The mean precision over all recalls of each label, as the mean over the labels ("mAP"): it needs no threshold.

    Labels that no example has are left out. Its interval is a bootstrap over the examples.
    """

    title: ClassVar[str] = "Mean average precision"
    listing_order: ClassVar[int] = 210

    def value(self, labels: LabelSets, probabilities: Said) -> float:
        from sklearn.metrics import average_precision_score  # a second to import

        there = np.flatnonzero(labels.any(axis=0))
        scores = [average_precision_score(labels[:, label], probabilities[:, label]) for label in there]
        return float(np.mean(scores)) if scores else nan

    def interval(self, labels: LabelSets, probabilities: Said) -> Interval | None:
        if len(labels) * self.passes(labels) > MAX_WORK or len(labels) < 2:
            return None  # before all is sorted
        statistic = self.statistic(labels, probabilities)
        return statistic and defined_bootstrap(labels, self.value(labels, probabilities), statistic, self.passes(labels))

    def statistic(self, labels: LabelSets, probabilities: Said) -> Statistic | None:
        there = np.flatnonzero(labels.any(axis=0))
        curves = [PrecisionRecall(labels[:, label], probabilities[:, label]) for label in there]
        return (lambda weights: _mean(curve.counts(weights) for curve in curves)) if curves else None

    def passes(self, labels: LabelSets) -> int:
        return max(1, int(labels.any(axis=0).sum()))


def _mean(of_labels: Iterable[tuple[Totals, Totals]]) -> Said:
    """Return the mean average precision (resamples,) of the labels that a resample has; NaN where it has none of them."""
    scores, there = zip(*((average_precision(right, taken), right[-1] > 0) for right, taken in of_labels), strict=True)
    count = np.sum(there, axis=0)
    return np.where(count > 0, np.sum(scores, axis=0) / np.maximum(count, 1), nan)
