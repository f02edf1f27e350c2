"""Root mean squared error."""

from math import sqrt
from typing import ClassVar

import numpy as np

from tl_core.analysis.statistics import Interval, mean_interval
from tl_core.metrics import Better, Statistic, register
from tl_core.metrics._intervals import around, mean_of
from tl_core.metrics._of_numbers import NumberMetric, Numbers


@register("rmse")
class RootMeanSquaredError(NumberMetric):
    """The root of the mean squared error, in the unit of the numbers: large mistakes count more than in the mean absolute error.

    Its interval is the root of Student's t interval of the mean squared error.
    """

    title: ClassVar[str] = "Root mean squared error"
    better: ClassVar[Better] = Better.LOWER
    in_unit: ClassVar[bool] = True
    listing_order: ClassVar[int] = 120

    def value(self, labels: Numbers, probabilities: Numbers) -> float:
        from sklearn.metrics import root_mean_squared_error  # a second to import

        return float(root_mean_squared_error(labels, probabilities))

    def interval(self, labels: Numbers, probabilities: Numbers) -> Interval | None:
        if len(labels) < 2:
            return None
        found = mean_interval((labels - probabilities) ** 2, lowest=0.0)
        return around(self.value(labels, probabilities), sqrt(found.low), sqrt(found.high))

    def statistic(self, labels: Numbers, probabilities: Numbers) -> Statistic:
        squared = mean_of((labels - probabilities) ** 2)
        return lambda weights: np.sqrt(squared(weights))
