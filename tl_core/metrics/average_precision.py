"""Average precision: the area under the curve of precision over recall."""

from typing import ClassVar

import numpy as np

from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, register
from tl_core.metrics._curves import average_precision, curve_interval, curve_statistic, mean_over_classes


@register("average_precision")
class AveragePrecision(Metric):
    """The mean precision over all recalls, as the mean over the classes: it tells rare classes apart better than ROC AUC.

    Classes without an example are left out. Its interval is a stratified bootstrap.
    """

    title: ClassVar[str] = "Average precision"
    listing_order: ClassVar[int] = 70

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import average_precision_score  # a second to import

        return mean_over_classes(labels, probabilities, average_precision_score)

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        return curve_interval(labels, probabilities, self.value, average_precision)

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        return curve_statistic(labels, probabilities, average_precision)

    def passes(self, labels: Labels) -> int:
        return len(np.unique(labels))
