"""Subset accuracy: the share of examples of which every label is right."""

from typing import ClassVar

from tl_core.analysis.statistics import wilson
from tl_core.metrics import Interval, Statistic, register
from tl_core.metrics._intervals import mean_of
from tl_core.metrics._of_labels import LabelMetric, LabelSets, Said, predicted


@register("subset_accuracy")
class SubsetAccuracy(LabelMetric):
    """The share of examples for which exactly the true labels are predicted, none missed and none too many.

    Its interval is Wilson's (1927).
    """

    title: ClassVar[str] = "Subset accuracy"
    listing_order: ClassVar[int] = 240

    def value(self, labels: LabelSets, probabilities: Said) -> float:
        from sklearn.metrics import accuracy_score  # a second to import

        return float(accuracy_score(labels, predicted(probabilities)))

    def interval(self, labels: LabelSets, probabilities: Said) -> Interval | None:
        return wilson(int((labels == predicted(probabilities)).all(axis=1).sum()), len(labels))

    def statistic(self, labels: LabelSets, probabilities: Said) -> Statistic:
        return mean_of((labels == predicted(probabilities)).all(axis=1))
