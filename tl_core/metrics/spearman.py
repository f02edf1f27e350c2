"""Spearman's rank correlation."""

from math import atanh, nan, sqrt, tanh
from typing import ClassVar

import numpy as np

from tl_core.analysis.statistics import Z95, Interval
from tl_core.metrics import register
from tl_core.metrics._intervals import around
from tl_core.metrics._of_numbers import NumberMetric, Numbers


@register("spearman")
class Spearman(NumberMetric):
    """The correlation of the ranks of the predicted and of the true numbers: 1 where they are in the same order, whatever the
    size of the mistakes.

    Its interval is Fisher's, with the standard error of Bonett and Wright (2000).
    """

    title: ClassVar[str] = "Spearman correlation"
    listing_order: ClassVar[int] = 140

    def value(self, labels: Numbers, probabilities: Numbers) -> float:
        from scipy.stats import spearmanr  # a second to import

        if not (np.ptp(labels) > 0 and np.ptp(probabilities) > 0):
            return nan
        return float(spearmanr(labels, probabilities).statistic)

    def interval(self, labels: Numbers, probabilities: Numbers) -> Interval | None:
        value = self.value(labels, probabilities)
        if len(labels) < 4 or abs(value) >= 1 - 1e-12:
            return None
        half = Z95 * sqrt((1 + value**2 / 2) / (len(labels) - 3))
        return around(value, tanh(atanh(value) - half), tanh(atanh(value) + half))
