"""Mean absolute error: how far a prediction is off, on average."""

from typing import ClassVar

import numpy as np

from tl_core.analysis.statistics import Interval, mean_interval
from tl_core.metrics import Better, Statistic, register
from tl_core.metrics._intervals import around, mean_of
from tl_core.metrics._of_numbers import NumberMetric, Numbers


@register("mae")
class MeanAbsoluteError(NumberMetric):
    """The mean distance of the predicted numbers from the true ones, in their unit.

    Its interval is Student's t of the mean.
    """

    title: ClassVar[str] = "Mean absolute error"
    better: ClassVar[Better] = Better.LOWER
    in_unit: ClassVar[bool] = True
    listing_order: ClassVar[int] = 110

    def value(self, labels: Numbers, probabilities: Numbers) -> float:
        from sklearn.metrics import mean_absolute_error  # a second to import

        return float(mean_absolute_error(labels, probabilities))

    def interval(self, labels: Numbers, probabilities: Numbers) -> Interval | None:
        if len(labels) < 2:
            return None
        found = mean_interval(np.abs(labels - probabilities), lowest=0.0)
        return around(self.value(labels, probabilities), found.low, found.high)

    def statistic(self, labels: Numbers, probabilities: Numbers) -> Statistic:
        return mean_of(np.abs(labels - probabilities))
