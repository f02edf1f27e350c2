"""Metrics: numbers that say how good a model is on examples with labels, each with its interval."""

from abc import abstractmethod
from math import inf, isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Interval, difference_interval
from tl_core.data.label_kinds import CLASSES, LabelKind
from tl_core.errors import SettingError
from tl_core.metrics._intervals import MAX_WORK, Labels, Statistic, Weights, bootstrap_interval
from tl_core.registry import Part, Registry, lowered, title_with_settings
from tl_core.result import Better, MetricValue, Threshold
from tl_core.spec import PartSpec

Probabilities = NDArray[np.float32]

__all__ = [
    "Better",
    "Interval",
    "Labels",
    "Metric",
    "MetricValue",
    "Probabilities",
    "Sample",
    "Statistic",
    "Threshold",
    "Weights",
    "default_metrics",
    "measure",
    "metrics",
    "register",
]


class Sample(NamedTuple):
    """What a model says of some examples: their labels, and its probabilities, or what else is predicted, as `Metric.value` takes
    them, with the `found` value of the metric that is asked."""

    labels: NDArray[Any]
    probabilities: NDArray[Any]
    found: MetricValue


class Metric(Part):
    """Says in one number how good a model's probabilities for some examples are, given their labels."""

    label_kind: ClassVar[LabelKind] = CLASSES
    """What the labels are. Of other kinds than classes the "probabilities" are what a model predicts, such as numbers (n,)."""
    better: ClassVar[Better] = Better.HIGHER
    percent: ClassVar[bool] = True
    """Whether a value is a share (0..1), which people read in percent."""
    proper: ClassVar[bool] = False
    """Whether its title begins with somebody's name, which stays as it is within a sentence."""
    in_unit: ClassVar[bool] = False
    """Whether a value has the unit of the labels, and so any size."""
    by_default: ClassVar[bool] = True
    """Whether each run is measured by it. One whose settings only the user knows is not."""

    chooses: ClassVar[bool] = True
    """Whether, where a run names it, its value on the validation images chooses epochs, trials and penalties; otherwise their
    loss does. Accuracy moves by whole images, and a model that knows nothing can be well calibrated."""

    most_probable: ClassVar[bool] = True
    """Whether the decisions that it measures are for the most probable class, as everywhere else."""
    fits_thresholds: ClassVar[bool] = False
    """Whether it has `thresholds`."""

    def suits(self, classes: int) -> bool:
        """Return whether this metric says anything where there are so many `classes`."""
        return True

    def require(self, classes: int) -> None:
        """Raise the `SettingError` of a metric that says nothing where there are so many `classes`."""
        if not self.suits(classes):
            raise SettingError(
                f"{self.full_title} says nothing of data with {classes} classes.",
                "Choose another metric, or other settings of it.",
                received=self.spec().model_dump(mode="json"),
            )

    def thresholds(self, labels: Labels, probabilities: Probabilities) -> tuple[Threshold, ...]:
        """Return from which probabilities on examples are taken for which classes, fitted to these, validation images; none of a
        metric that needs no threshold. Arguments as in `value`."""
        return ()

    def score(self, value: float) -> float:
        """Return a `value` of this metric as a number that is the lower the better the model is; infinity where there is none."""
        return inf if isnan(value) else -self.better.sign * value

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

    def statistic(self, labels: NDArray[Any], probabilities: NDArray[Any]) -> Statistic | None:
        """Return what gives the value in resamples of the examples; None where a bootstrap says nothing honest of this metric.

        This one computes each resample for itself; a metric whose sums take weights says so in its own. Arguments as in `value`.
        """

        def each(weights: Weights) -> NDArray[np.float64]:
            drawn = (np.repeat(np.arange(len(labels)), column) for column in weights.T)
            return np.array([self.value(labels[rows], probabilities[rows]) for rows in drawn])

        return each

    def passes(self, labels: NDArray[Any]) -> int:
        """Return how often `statistic` goes over all weights of a resample, about."""
        return 1

    def difference(self, labels: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> Interval | None:
        """Return the 95% interval of the value of `first` less that of `second`, two models on the same examples, which holds
        that difference and is the same each time.

        It is a paired bootstrap: each resample is the same examples for both, drawn within each class. None where that takes too
        long, where a value is not defined, where all resamples say the same, or where it would not be honest.
        """
        work = 2 * self.passes(labels)
        if len(labels) * work > MAX_WORK:
            return None  # before anything is sorted
        gap = self.measured_value(labels, first) - self.measured_value(labels, second)
        one, other = (None if isnan(gap) else self.statistic(labels, each) for each in (first, second))
        if one is None or other is None:
            return None
        return bootstrap_interval(labels, gap, lambda weights: one(weights) - other(weights), work)

    def difference_of_samples(self, here: Sample, other: Sample) -> Interval | None:
        """Return the 95% interval of the value of `here` less that of `other`, which share no example. This one puts it together
        of both intervals, and is None where one of them is."""
        one, another = here.found, other.found
        if one.low is None or one.high is None or another.low is None or another.high is None:
            return None
        intervals = Interval(one.low, one.high), Interval(another.low, another.high)
        return difference_interval(one.value, intervals[0], another.value, intervals[1])

    @property
    def ends(self) -> tuple[float, ...]:
        """Return the least and the largest value of a share; nothing of a metric that may have any."""
        return (0.0, 1.0) if self.percent else ()

    def measured_value(self, labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
        """Return the value; NaN also of probabilities that are no numbers, as a diverged model gives them."""
        return self.value(labels, probabilities) if np.isfinite(probabilities).all() else nan

    def measure(self, labels: NDArray[Any], probabilities: NDArray[Any], *, with_interval: bool = True) -> MetricValue:
        """Return the value, by default with its interval. Probabilities that are no numbers have neither."""
        value = self.measured_value(labels, probabilities)
        interval = self.interval(labels, probabilities) if with_interval and not isnan(value) else None
        low, high = (interval.low, interval.high) if interval else (None, None)
        return MetricValue(
            name=self.name, value=value, low=low, high=high, n=len(labels), better=self.better, settings=self.own_settings
        )

    @property
    def full_title(self) -> str:
        """Return the title, with the settings that differ from the defaults: "Top-5 accuracy (classes 3)"."""
        return title_with_settings(self)

    @property
    def in_sentence(self) -> str:
        """Return the full title as it stands within a sentence: "balanced accuracy", "ROC AUC", "Cohen's kappa"."""
        return lowered(self.full_title) if not self.proper else self.full_title


metrics: Registry[Metric] = Registry("metric", "tl_core.metrics")
register = metrics.register


def metric_of(found: MetricValue) -> Metric:
    """Return the metric, with its settings, that gave a stored value. Raises `SettingError` where it is no longer installed."""
    return metrics.build(PartSpec(name=found.name, **found.settings))


def of_kind(kind: LabelKind) -> dict[str, type[Metric]]:
    """Return the metrics of labels of this kind by their names, in the order in which they are listed."""
    return {name: part for name, part in metrics.parts().items() if part.label_kind == kind}


def default_metrics(classes: int, kind: LabelKind = CLASSES) -> tuple[Metric, ...]:
    """Return the metrics that each run with so many `classes` is measured by, with their default settings; of labels of another
    `kind` those for these."""
    candidates = (part() for part in of_kind(kind).values() if part.by_default)
    return tuple(metric for metric in candidates if metric.suits(classes))


def measure(
    labels: NDArray[Any], probabilities: NDArray[Any], also: Metric | None = None, kind: LabelKind = CLASSES
) -> tuple[MetricValue, ...]:
    """Return what each of the `default_metrics` of that `kind` gives, and `also` another one. Arguments as in `Metric.value`, but
    any number is allowed."""
    usual = default_metrics(probabilities.shape[1] if probabilities.ndim > 1 else 1, kind)
    others = () if also is None or also in usual or also.label_kind != kind else (also,)
    return tuple(metric.measure(labels, probabilities) for metric in (*usual, *others))
