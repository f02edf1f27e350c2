"""Runs held against each other by a metric: what each has of it, and what a paired test says of two."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from math import inf, isnan
from typing import Protocol

from tl_core.analysis import convergence
from tl_core.analysis.comparison import Contender
from tl_core.analysis.convergence import Decided
from tl_core.analysis.paired_tests import PairedTest, by_mcnemar
from tl_core.analysis.statements import measured
from tl_core.analysis.statistics import Interval
from tl_core.backbones import backbones
from tl_core.errors import RunError, SettingError
from tl_core.metrics import Better, Metric, MetricValue, metrics
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import things_of
from tl_core.result import Predictions, Result
from tl_core.runs import artifacts, score
from tl_core.runs.store import Run, Store
from tl_core.strategies import strategies

ACCURACY = Accuracy()
"""By which runs are compared unless something else is said."""
Read = Callable[[str], Predictions]
"""From the id of a finished run to its stored predictions; raises `RunError` where they are lost."""


def reader(store: Store) -> Read:
    """Return what reads the predictions of the runs in `store`."""
    return lambda run_id: artifacts.read_predictions(store.folder(run_id))


class Ranged(Protocol):
    """What has the ends of a 95% interval, both None where there is none."""

    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class Lacks(StrEnum):
    """Why a run has no value of a metric."""

    NOT_TESTED = "not tested"
    OTHER_LABELS = "other labels"
    """The metric is of classes, and the run predicts a number, or the other way round."""
    OTHER_CLASSES = "other classes"
    """The metric says nothing of so many classes."""
    LOST = "lost"
    """Its predictions cannot be read."""


def value_of(run: Run, metric: Metric, read: Read) -> MetricValue | Lacks:
    """Return what `metric` gives of the test images of a run: as it was stored, or else from its predictions."""
    if (stored := stored_value(run, metric)) is not None:
        return stored
    try:
        said = read(run.id)
    except RunError:
        return Lacks.LOST
    outputs = said.probabilities.shape[1] if said.probabilities.ndim > 1 else 1
    return metric.measure(said.labels, said.scores) if metric.suits(outputs) else Lacks.OTHER_CLASSES


def stored_value(run: Run, metric: Metric) -> MetricValue | Lacks | None:
    """Return what `metric` gives of a run as far as that is stored with it; None where its predictions have to be read."""
    if not run.test_images:
        return Lacks.NOT_TESTED
    if metric.label_kind != score.label_kind(run):
        return Lacks.OTHER_LABELS
    if metric == ACCURACY and run.correct is not None:
        return ACCURACY.of_counts(run.correct, run.test_images)
    return next((found for found in run.metrics if is_of(found, metric)), None)


def deciding(run: Run) -> Metric:
    """Return the metric that decides a run: of a task that it says nothing of, or where it is no longer installed, the primary
    one."""
    try:
        metric = metrics.build(run.spec.metric)
    except SettingError:
        return score.primary_metric(run)
    return metric if metric.label_kind == score.label_kind(run) else score.primary_metric(run)


def names_a_chooser(run: Run) -> bool:
    """Return whether a run names the metric that decides it, and that chooses on its validation images, too."""
    metric = deciding(run)
    return metric.chooses and metric.name == run.spec.metric.name


def decided(run: Run) -> MetricValue | None:
    """Return what a finished run has of the metric that decides it, as it was stored; None of a run that was not tested."""
    found = stored_value(run, deciding(run))
    return None if isinstance(found, Lacks) else found


def warnings(run: Run, result: Result) -> tuple[str, ...]:
    """Return `convergence.warnings` of a finished run, which go by the metric that decides it, unless its epochs did not tell it,
    as in earlier versions."""
    metric = deciding(run)
    found = next((each for each in result.metrics if metric != ACCURACY and is_of(each, metric)), None)
    written = partial(measured, interval=None, is_share=metric.percent, in_unit=metric.in_unit)
    is_told = any(phase.ended and phase.ended.validation_metric is not None for phase in result.phases)
    decided = Decided(found, metric.in_sentence, written) if found and is_told else None
    return convergence.warnings(result, things_of(run.spec), decided)


def is_of(found: MetricValue, metric: Metric) -> bool:
    """Return whether a stored value is of this metric, with the same settings."""
    return (found.name, found.settings) == (metric.name, metric.own_settings)


def ranked(runs: Sequence[Run], values: Mapping[str, MetricValue | Lacks]) -> list[Run]:
    """Return the runs, the best first by their `values`, which go by their ids; those without one come last, as they were."""

    def place(run: Run) -> float:
        found = values.get(run.id)
        if not isinstance(found, MetricValue) or isnan(found.value):
            return inf
        return -found.better.sign * found.value

    return sorted(runs, key=place)


def ends_of(found: Ranged) -> Interval | None:
    """Return the interval of a value, if it has one."""
    return None if found.low is None or found.high is None else Interval(found.low, found.high)


def shown(found: MetricValue, metric: Metric) -> str:
    """Return a value of `metric` in words, with its interval."""
    return measured(found.value, ends_of(found), is_share=metric.percent, in_unit=metric.in_unit)


def is_control(run: Run) -> bool:
    """Return whether a run transfers nothing: it starts from random weights, or from a network that learned nothing. One whose
    parts are no longer installed counts as a transfer."""
    strategy, backbone = strategies.parts().get(run.spec.strategy.name), backbones.parts().get(run.spec.backbone.name)
    return (strategy is not None and not strategy.pretrained) or (backbone is not None and backbone.is_control)


def contender(run: Run, title: str, found: MetricValue, metric: Metric) -> Contender:
    """Return a run, called `title`, that has the value `found` of `metric`, as one side of a comparison."""
    return Contender(
        title=title,
        transfer=not is_control(run),
        value=found.value,
        interval=ends_of(found),
        shown=shown(found, metric),
        seconds=run.seconds or 0.0,
        test_digest=run.test_digest or "",
        metric=metric.in_sentence,
        is_share=metric.percent,
        in_unit=metric.in_unit,
        better=found.better,
        thing=things_of(run.spec),
        data=run.spec.dataset.content.model_dump_json(),
    )


def paired_test(first: Run, second: Run, metric: Metric, read: Read) -> PairedTest | None:
    """Return what a paired test of two finished runs says: McNemar's of their accuracies, and a paired bootstrap of any other
    metric. None where they saw different images, where predictions are lost, or where one has no value."""
    if first.test_digest != second.test_digest:
        return None
    try:
        one, other = read(first.id), read(second.id)
    except RunError:
        return None
    if metric == ACCURACY:
        right = [said.probabilities.argmax(axis=1) == said.labels for said in (one, other)]
        return by_mcnemar(*right)
    values = [metric.measured_value(said.labels, said.scores) for said in (one, other)]
    ahead, behind = (one, other) if metric.better.sign * (values[0] - values[1]) >= 0 else (other, one)
    # Of what is better when it is lower, the lead is how much more the one behind has.
    more, less = (ahead, behind) if metric.better is Better.HIGHER else (behind, ahead)
    interval = metric.difference(one.labels, more.scores, less.scores)
    return PairedTest(len(one.labels), abs(values[0] - values[1]), interval=interval)
