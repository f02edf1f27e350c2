"""Hamming loss: the share of labels that are wrong."""

from typing import ClassVar

from tl_core.analysis.statistics import mean_interval
from tl_core.metrics import Better, Interval, Statistic, register
from tl_core.metrics._intervals import around, mean_of
from tl_core.metrics._of_labels import LabelMetric, LabelSets, Said, predicted


@register("hamming_loss")
class HammingLoss(LabelMetric):
    """The share of all labels of all examples that are missed or predicted in vain; where labels are rare it is low anyway.

    Its interval is Student's t of the mean over the examples.
    """

    title: ClassVar[str] = "Hamming loss"
    better: ClassVar[Better] = Better.LOWER
    listing_order: ClassVar[int] = 250

    def value(self, labels: LabelSets, probabilities: Said) -> float:
        from sklearn.metrics import hamming_loss  # a second to import

        return float(hamming_loss(labels, predicted(probabilities)))

    def interval(self, labels: LabelSets, probabilities: Said) -> Interval | None:
        if len(labels) < 2:
            return None
        found = mean_interval((labels != predicted(probabilities)).mean(axis=1), 0.0, 1.0)
        return around(self.value(labels, probabilities), found.low, found.high)

    def statistic(self, labels: LabelSets, probabilities: Said) -> Statistic:
        return mean_of((labels != predicted(probabilities)).mean(axis=1))
