"""Accuracy: the share of examples that are classified correctly."""

from typing import ClassVar

from tl_core.analysis.statistics import wilson
from tl_core.metrics import Interval, Labels, Metric, MetricValue, Probabilities, Statistic, register
from tl_core.metrics._intervals import mean_of


@register("accuracy")
class Accuracy(Metric):
    """The share of examples that are classified correctly; large classes decide it.

    Its interval is Wilson's (1927).
    """

    title: ClassVar[str] = "Accuracy"
    listing_order: ClassVar[int] = 10
    chooses: ClassVar[bool] = False

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import accuracy_score  # a second to import

        return float(accuracy_score(labels, probabilities.argmax(axis=1)))

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        return wilson(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))

    def of_counts(self, correct: int, n: int) -> MetricValue:
        """Return the value of `n` examples of which so many are `correct`."""
        ends = wilson(correct, n)
        return MetricValue(name=self.name, value=correct / n, low=ends.low, high=ends.high, n=n, better=self.better)

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        return mean_of(probabilities.argmax(axis=1) == labels)
