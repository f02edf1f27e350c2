"""Runs that differ in the labels a class: how a metric grows with them, what the next ones would bring, and what a transfer
saves."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import nan

import numpy as np

from tl_core.analysis.label_saving import Saving, saving
from tl_core.analysis.power_law import PowerLaw, Silence, fitted
from tl_core.analysis.statistics import Interval, mean_interval
from tl_core.metrics import Better, Metric
from tl_core.runs.compared import ends_of, is_control
from tl_core.runs.seeds import Values, settings_of
from tl_core.runs.store import Run

LABELS = "labels_per_class"
NEXT_LABELS = 100
"""So many more labels, of all classes together, are asked about."""


@dataclass(frozen=True)
class LabelPoint:
    """What the runs with so many `labels` a class have of a metric: each value, their mean, and its 95% interval, which with one
    seed is that of its test images, if there is one."""

    labels: int
    mean: float
    interval: Interval | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class LabelCurve:
    """Runs that differ in labels and seed alone, the fewest labels first. `law` is of the error; with `more` labels a class
    instead of the most that were tried, a run is foretold to have the value `foretold`, with its 95% interval. One that
    `is_control` transfers nothing."""

    runs: tuple[Run, ...]
    points: tuple[LabelPoint, ...]
    law: PowerLaw | Silence
    more: float
    foretold: Interval | Silence
    is_control: bool


def label_curves(runs: Sequence[Run], values: Values, metric: Metric, classes: Callable[[Run], int]) -> list[LabelCurve]:
    """Return a curve of all tested `runs` that have two numbers of labels or more, and nothing else but the seed, to differ in;
    `classes` says how many classes a run has."""
    alike: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if labels_of(run):
            alike[settings_of(run.spec, but=(LABELS,)) + str(run.test_digest)].append(run)
    several = [group for group in alike.values() if len(set(map(labels_of, group))) > 1]
    return [_curve(sorted(group, key=labels_of), values, metric, classes(group[0])) for group in several]


def labels_of(run: Run) -> int:
    """Return the labels a class that a run learned from; 0 where it took all there were."""
    return run.spec.dataset.settings.get(LABELS) or 0


def _curve(runs: Sequence[Run], values: Values, metric: Metric, classes: int) -> LabelCurve:
    counts = sorted(set(map(labels_of, runs)))
    points = [_point(count, [run for run in runs if labels_of(run) == count], values, metric) for count in counts]
    law = fitted(list(map(labels_of, runs)), [_error(values[run.id].value, metric) for run in runs])
    more = counts[-1] + NEXT_LABELS / classes
    error = law if isinstance(law, Silence) else law.foretold(more)
    foretold = error if isinstance(error, Silence) else _values(error, metric)
    return LabelCurve(tuple(runs), tuple(points), law, more, foretold, is_control(runs[0]))


def _point(labels: int, runs: Sequence[Run], values: Values, metric: Metric) -> LabelPoint:
    numbers = tuple(values[run.id].value for run in runs)
    interval = mean_interval(numbers, *metric.ends) if len(numbers) > 1 else ends_of(values[runs[0].id])
    return LabelPoint(labels, float(np.mean(numbers)), interval, numbers)


def _error(value: float, metric: Metric) -> float:
    """Return what falls as a model gets better, 0 at best; NaN of a metric that has no such number."""
    if metric.better is Better.LOWER:
        return value
    return 1 - value if metric.percent else nan


def _values(errors: Interval, metric: Metric) -> Interval:
    return errors if metric.better is Better.LOWER else Interval(1 - errors.high, 1 - errors.low)


def typical(law: PowerLaw, labels: float, metric: Metric) -> float:
    """Return the value of `metric` that a law of its error has for so many labels a class."""
    error = float(law.error(labels))
    return error if metric.better is Better.LOWER else 1 - error


def savings(curves: Sequence[LabelCurve], values: Values) -> list[tuple[LabelCurve, LabelCurve, Saving]]:
    """Return what each transfer saves beside each run from scratch on the same data: both curves, and the labels saved."""
    transfers, twins = ([curve for curve in curves if curve.is_control is asked] for asked in (False, True))
    pairs = [
        (one, other, saving(_by_seed(one, values), _by_seed(other, values)))
        for one, other in product(transfers, twins)
        if _data(one) == _data(other)
    ]
    return [(one, other, found) for one, other, found in pairs if found]


def _by_seed(curve: LabelCurve, values: Values) -> dict[int, dict[int, float]]:
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for run in curve.runs:
        found[run.spec.seed][labels_of(run)] = values[run.id].better.sign * values[run.id].value
    return found


def _data(curve: LabelCurve) -> tuple[object, ...]:
    first = curve.runs[0]
    return first.spec.dataset.content.model_copy(update={LABELS: None}), first.spec.task, first.test_digest
