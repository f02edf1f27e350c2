"""How good a run is, in the metric that decides in its task."""

from tl_core.analysis.statements import interval_of, number, percent
from tl_core.analysis.statistics import Interval
from tl_core.metrics import MetricValue, metrics
from tl_core.runs.store import Run
from tl_core.tasks import tasks


def primary_of(run: Run) -> MetricValue | None:
    """Return the value of the primary metric of a run's task; None where it was not tested, or nobody knows the task."""
    task = tasks.parts().get(run.spec.task.name)
    return next((found for found in run.metrics if task and found.name == task.primary.name), None)


def score(run: Run) -> str:
    """Return the accuracy as "85 % (82-88)", or of a task without one its primary metric as "Mean absolute error 2.3 (2.1-2.5)";
    empty where the run was not tested."""
    interval = interval_of(run)
    if interval and run.accuracy is not None:
        return percent(run.accuracy, interval)
    found = primary_of(run)
    return f"{metrics.part(found.name).title} {text_of(found)}" if found else ""


def named_score(run: Run) -> str:
    """Return the same as it stands in a sentence: "accuracy 85 % (82-88)", "mean absolute error 2.3 (2.1-2.5)"."""
    told = score(run)
    return f"accuracy {told}" if run.accuracy is not None else told[:1].lower() + told[1:]


def text_of(found: MetricValue) -> str:
    """Return a value of a metric with its interval, in the unit of what is predicted."""
    return number(found.value, None if found.low is None or found.high is None else Interval(found.low, found.high))
