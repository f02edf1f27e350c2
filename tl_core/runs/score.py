"""How good a run is, in the metric that decides in its task."""

from tl_core.analysis.statements import interval_of, measured, percent
from tl_core.analysis.statistics import Interval
from tl_core.data.label_kinds import LabelKind
from tl_core.metrics import Metric, MetricValue
from tl_core.runs.store import Run
from tl_core.tasks import Task, tasks
from tl_core.tasks.classification import Classification


def label_kind(run: Run) -> LabelKind:
    """Return what the labels of a run are."""
    return task_of(run).label_kind


def primary_metric(run: Run) -> Metric:
    """Return the metric by which runs of this task are ranked."""
    return task_of(run).primary()


def primary_of(run: Run) -> MetricValue | None:
    """Return the value of the primary metric of a run's task; None where it was not tested."""
    name = primary_metric(run).name
    return next((found for found in run.metrics if found.name == name), None)


def score(run: Run) -> str:
    """Return the accuracy as "85 % (82-88)", or of a task without one its primary metric as "Mean absolute error 2.3 (2.1-2.5)";
    empty where the run was not tested."""
    interval = interval_of(run)
    if interval and run.accuracy is not None:
        return percent(run.accuracy, interval)
    metric, found = primary_metric(run), primary_of(run)
    if found is None:
        return ""
    ends = None if found.low is None or found.high is None else Interval(found.low, found.high)
    return f"{metric.title} {measured(found.value, ends, is_share=metric.percent, in_unit=metric.in_unit)}"


def named_score(run: Run) -> str:
    """Return the same as it stands in a sentence: "accuracy 85 % (82-88)", "mean absolute error 2.3 (2.1-2.5)"."""
    metric, told = primary_metric(run), score(run)
    return f"{metric.in_sentence} {told.removeprefix(f'{metric.title} ')}"


def task_of(run: Run) -> type[Task]:
    """Return the task of a run; classification where it is no longer installed."""
    return tasks.parts().get(run.spec.task.name, Classification)
