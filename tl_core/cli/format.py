"""A run in words, for people and for programs."""

import json
import time
from collections.abc import Sequence
from math import isfinite
from typing import Any

from rich.markup import escape

from tl_core.analysis.statements import interval_of, seconds
from tl_core.jobs import failures
from tl_core.notes import sentences
from tl_core.recipe import shown_size_of, things_of, titles_of
from tl_core.result import MetricValue
from tl_core.runs import compared
from tl_core.runs.evaluations import Difference, Evaluation
from tl_core.runs.score import named_score, primary_metric, score
from tl_core.runs.states import State
from tl_core.runs.store import Run

USER_MISTAKE, OUR_FAULT, STOPPED = 2, 1, 130
"""Exit codes."""
FIELDS = (
    *("run_id", "state", "accuracy", "accuracy_interval", "metrics", "seconds", "waiting_seconds", "running_seconds"),
    *("priority", "attempts", "device", "trainable_parameters", "error", "unreadable"),
    *("name", "tags", "starred", "archived", "note", "disk_bytes", "repeats", "left_at"),
)
"""What `--json` prints of a run."""
ENDING = (*FIELDS, "notes", "warnings", "evaluations", "thresholds")
"""What it prints of a run that was waited for, and of a mistake with nothing but `error`."""


def summary(run: Run) -> dict[str, Any]:
    """Return what `--json` prints of a run."""
    interval, now = interval_of(run), time.time()
    own: dict[str, Any] = {
        "run_id": run.id,
        "accuracy_interval": interval and [interval.low, interval.high],
        "metrics": metrics_of(run.metrics),
        "waiting_seconds": run.waiting_seconds(now),
        "running_seconds": run.running_seconds(now),
        "left_at": run.left_at and run.left_at.model_dump(),
    }
    return {field: own[field] if field in own else getattr(run, field) for field in FIELDS}


def metrics_of(found: Sequence[MetricValue]) -> dict[str, dict[str, float | None]]:
    """Return values with their ends by the names of their metrics, and the settings that they were given: "top_5(k=3)"."""
    return {_called(metric): _ends(metric) for metric in found}


def _called(metric: MetricValue) -> str:
    own = ",".join(f"{name}={json.dumps(value)}" for name, value in metric.settings.items())
    return f"{metric.name}({own})" if own else metric.name


def _ends(metric: MetricValue | Difference) -> dict[str, float | None]:
    """Return the value of a metric with the ends of its interval. What is not a number is None: JSON has no other word for it."""
    return {"value": metric.value if isfinite(metric.value) else None, "low": metric.low, "high": metric.high}


def told_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Return what `--json` prints of a test on other data."""
    interval, has_accuracy = evaluation.interval, evaluation.correct is not None
    return {
        "at": evaluation.at,
        "dataset": evaluation.dataset.model_dump(mode="json"),
        "title": evaluation.title,
        "splits": evaluation.splits,
        "images": evaluation.images,
        "accuracy": evaluation.accuracy if has_accuracy else None,
        "accuracy_interval": [interval.low, interval.high] if has_accuracy else None,
        "own_images": evaluation.own_images,
        "own_accuracy": evaluation.own_accuracy if has_accuracy else None,
        "own_metrics": {metric.name: _ends(metric) for metric in evaluation.own_metrics},
        "metrics": {metric.name: _ends(metric) for metric in evaluation.metrics},
        "differences": {difference.name: _ends(difference) for difference in evaluation.differences},
        "classes": [each.model_dump() for each in evaluation.classes],
        "notes": sentences(evaluation.notes),
        "digest": evaluation.digest,
        "seconds": evaluation.seconds,
    }


def headline(run: Run, notes: Sequence[str] = (), warnings: Sequence[str] = ()) -> str:
    """Return how a run stands, for people, the `notes` on its data and the `warnings` on its training."""
    if run.state is not State.DONE or run.seconds is None:
        return f"Run {run.id} is {run.state}. {escape(run.error or '')}".strip()
    tested = f"{run.test_images:,} {things_of(run.spec)}"
    lines = (
        f"Run {run.id}",
        f"Test {named_score(run)} {'of' if run.accuracy is not None else 'on'} {tested}, 95% interval",
        *_decided(run),
        f"{escape(titles_of(run.spec)[0])} at {shown_size_of(run.spec)}: {run.seconds:.1f} s, "
        f"{run.trainable_parameters:,} of {run.total_parameters:,} parameters trained",
        *(f"Note: {escape(note)}" for note in notes),
        *(f"Warning: {escape(warning)}" for warning in warnings),
    )
    return "\n".join(lines)


def _decided(run: Run) -> tuple[str, ...]:
    """Return the value of the metric that decides a run, where that is not what its task is measured by anyway."""
    metric, found = compared.deciding(run), compared.decided(run)
    if metric == primary_metric(run) or found is None:
        return ()
    return (escape(f"Decided by {metric.in_sentence}: {compared.shown(found, metric)}"),)


def accuracy_of(run: Run) -> str:
    """Return the accuracy in percent with its interval, or a task's other primary metric; empty where there is none."""
    return score(run)


def clocks(run: Run) -> str:
    """Return both clocks: "4 s + 1 min"."""
    now = time.time()
    return f"{seconds(run.waiting_seconds(now))} + {seconds(run.running_seconds(now))}"


def exit_code(run: Run) -> int:
    """Return 0 for a run that is done, waits or is paused; 2 where the user can mend it, 130 for a stop, 1 for a fault."""
    if run.state is State.CANCELLED:
        return STOPPED
    if run.state not in (State.FAILED, State.CRASHED):
        return 0
    return OUR_FAULT if run.error_kind in {failures.INTERNAL, failures.CRASH} else USER_MISTAKE
