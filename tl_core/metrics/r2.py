"""R squared: the share of the variance that is predicted."""

from math import nan
from typing import ClassVar

import numpy as np

from tl_core.analysis.statistics import Interval
from tl_core.metrics import Statistic, register
from tl_core.metrics._intervals import Weights, defined_bootstrap
from tl_core.metrics._of_numbers import NumberMetric, Numbers


@register("r2")
class RSquared(NumberMetric):
    """The share of the variance of the true numbers that is predicted: 1 is exact, 0 no better than their mean, less is worse.

    Its interval is a bootstrap's.
    """

    title: ClassVar[str] = "R\N{SUPERSCRIPT TWO}"
    listing_order: ClassVar[int] = 130

    def value(self, labels: Numbers, probabilities: Numbers) -> float:
        from sklearn.metrics import r2_score  # a second to import

        return float(r2_score(labels, probabilities)) if np.ptp(labels) > 0 else nan

    def interval(self, labels: Numbers, probabilities: Numbers) -> Interval | None:
        if len(labels) < 2:
            return None
        return defined_bootstrap(labels, self.value(labels, probabilities), self.statistic(labels, probabilities))

    def statistic(self, labels: Numbers, probabilities: Numbers) -> Statistic:
        shifted = labels - labels.mean()  # the variance of large numbers that hardly differ would be lost in rounding
        squares = (labels - probabilities) ** 2

        def resampled(weights: Weights) -> Numbers:
            variance = shifted**2 @ weights - (shifted @ weights) ** 2 / len(labels)
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(variance > 0, 1 - squares @ weights / variance, nan)

        return resampled
