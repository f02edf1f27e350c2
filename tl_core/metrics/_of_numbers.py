"""What metrics of predicted numbers have in common: labels and predictions are float64 (n,)."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Interval
from tl_core.data.label_kinds import NUMBERS, LabelKind
from tl_core.metrics import Metric
from tl_core.metrics._intervals import Weights, bootstrap_interval

Numbers = NDArray[np.float64]


class NumberMetric(Metric):
    """Says in one number how near predicted numbers are to the true ones."""

    label_kind: ClassVar[LabelKind] = NUMBERS
    percent: ClassVar[bool] = False
    chooses: ClassVar[bool] = False
    """The squared error of the validation images does, in which a model is trained."""


def defined_bootstrap(labels: Numbers, value: float, statistic: Callable[[Weights], Numbers]) -> Interval | None:
    """Return the interval that `bootstrap_interval` gives. A resample in which the statistic is not defined, such as one of a
    single example, counts for nothing."""

    def defined(weights: Weights) -> Numbers:
        values = statistic(weights)
        return values[np.isfinite(values)]

    return bootstrap_interval(labels, value, defined)
