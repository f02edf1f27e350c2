"""Metrics: numbers that say how good a model is on examples with labels, each with its interval."""

from abc import abstractmethod
from math import isnan, nan
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Interval
from tl_core.data.label_kinds import CLASSES, LabelKind
from tl_core.registry import Part, Registry
from tl_core.result import Better, MetricValue

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float32]

__all__ = [
    "Better",
    "Interval",
    "Labels",
    "Metric",
    "MetricValue",
    "Probabilities",
    "default_metrics",
    "measure",
    "metrics",
    "register",
]


class Metric(Part):
    """Says in one number how good a model's probabilities for some examples are, given their labels."""

    label_kind: ClassVar[LabelKind] = CLASSES
    """What the labels are. Of other kinds than classes the "probabilities" are what a model predicts, such as numbers (n,)."""
    better: ClassVar[Better] = Better.HIGHER
    percent: ClassVar[bool] = True
    """Whether a value is a share (0..1), which people read in percent."""
    in_unit: ClassVar[bool] = False
    """Whether a value has the unit of the labels, and so any size."""
    by_default: ClassVar[bool] = True
    """Whether each run is measured by it. One whose settings only the user knows is not."""

    def suits(self, classes: int) -> bool:
        """Return whether this metric says anything where there are so many `classes`."""
        return True

    @abstractmethod
    def value(self, labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
        """Return the value, NaN where it is not defined on these examples.

        `labels` (n,) are class indices from 0 on, n at least 1; a class may have no example. `probabilities` (n, classes) are
        finite, within 0..1, and sum to 1 in each row. The class that a model decides for is the first of the most probable ones.
        """

    @abstractmethod
    def interval(self, labels: NDArray[Any], probabilities: NDArray[Any]) -> Interval | None:
        """Return the 95% interval, which holds the value and is the same each time; None where these examples do not give one.

        Where every resample, or every example, says the same (a model without a mistake), there is no width to be had from them:
        that is None, unless the method is honest there. Arguments as in `value`.
        """

    def measure(self, labels: NDArray[Any], probabilities: NDArray[Any]) -> MetricValue:
        """Return the value with its interval. Probabilities that are no numbers, as a diverged model gives them, have neither."""
        value = self.value(labels, probabilities) if np.isfinite(probabilities).all() else nan
        interval = None if isnan(value) else self.interval(labels, probabilities)
        low, high = (interval.low, interval.high) if interval else (None, None)
        return MetricValue(name=self.name, value=value, low=low, high=high, n=len(labels), better=self.better)


metrics: Registry[Metric] = Registry("metric", "tl_core.metrics")
register = metrics.register


def default_metrics(classes: int, kind: LabelKind = CLASSES) -> tuple[Metric, ...]:
    """Return the metrics that each run with so many `classes` is measured by, with their default settings; of labels of another
    `kind` those for these."""
    candidates = (part() for part in metrics.parts().values() if part.by_default and part.label_kind == kind)
    return tuple(metric for metric in candidates if metric.suits(classes))


def measure(labels: NDArray[Any], probabilities: NDArray[Any], kind: LabelKind = CLASSES) -> tuple[MetricValue, ...]:
    """Return what each of the `default_metrics` gives. Arguments as in `Metric.value`, but that any number is allowed."""
    outputs = probabilities.shape[1] if probabilities.ndim > 1 else 1
    return tuple(metric.measure(labels, probabilities) for metric in default_metrics(outputs, kind))
