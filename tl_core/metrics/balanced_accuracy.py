"""Balanced accuracy: the mean recall of the classes."""

from typing import ClassVar

import numpy as np

from tl_core.analysis.statistics import mean_share_interval
from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, register
from tl_core.metrics._intervals import mean_of


@register("balanced_accuracy")
class BalancedAccuracy(Metric):
    """The mean, over the classes, of the share of their examples that are found: small classes count as much as large ones.

    Classes without an example are left out. Its interval is made of the classes' own by MOVER (Zou and Donner 2008).
    """

    title: ClassVar[str] = "Balanced accuracy"
    listing_order: ClassVar[int] = 20

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import recall_score  # `balanced_accuracy_score` warns of classes without an example

        return float(recall_score(labels, probabilities.argmax(axis=1), labels=np.unique(labels), average="macro"))

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        sizes = np.bincount(labels)
        found = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=len(sizes))
        return mean_share_interval(found[sizes > 0].tolist(), sizes[sizes > 0].tolist())

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        sizes = np.bincount(labels)  # which resamples keep
        of_class = len(labels) / np.count_nonzero(sizes) / sizes[labels]
        return mean_of(of_class * (probabilities.argmax(axis=1) == labels))
