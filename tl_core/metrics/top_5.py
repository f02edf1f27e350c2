"""Top-5 accuracy: the share of examples whose class is among the most probable ones."""

from math import nan
from typing import ClassVar

import numpy as np
from pydantic import Field

from tl_core.analysis.statistics import wilson
from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, register
from tl_core.metrics._intervals import mean_of


@register("top_5")
class Top5(Metric):
    """The share of examples whose class is among the five most probable ones, or as many as are set.

    It says something only where there are more classes than that. Its interval is Wilson's (1927).
    """

    title: ClassVar[str] = "Top-5 accuracy"
    listing_order: ClassVar[int] = 40

    k: int = Field(5, ge=1, le=1000, title="Classes", description="How many of the most probable classes count.")

    def suits(self, classes: int) -> bool:
        return classes > self.k

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        return self._found(labels, probabilities) / len(labels) if self.suits(probabilities.shape[1]) else nan

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        suits = self.suits(probabilities.shape[1])
        return wilson(self._found(labels, probabilities), len(labels)) if suits else None

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic | None:
        classes = probabilities.shape[1]
        if not self.suits(classes):
            return None
        # As scikit-learn has it, of equal probabilities the last ones come first.
        first = np.argsort(probabilities, axis=1, kind="stable")[:, classes - self.k :]
        return mean_of((first == labels[:, np.newaxis]).any(axis=1))

    def _found(self, labels: Labels, probabilities: Probabilities) -> int:
        from sklearn.metrics import top_k_accuracy_score  # a second to import

        classes = probabilities.shape[1]
        scores = probabilities if classes > 2 else probabilities[:, 1]
        return int(top_k_accuracy_score(labels, scores, k=self.k, normalize=False, labels=np.arange(classes)))
