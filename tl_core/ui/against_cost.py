"""A metric of runs against what they cost, on the Compare page: which cost is chosen there, and is in the address."""

from collections.abc import Sequence

import streamlit as st

from tl_core.analysis.comparison import Cost, RunPoint
from tl_core.metrics import Metric, MetricValue
from tl_core.runs import compared
from tl_core.runs.label_counts import labels_of
from tl_core.runs.store import Run
from tl_core.ui import compare_by, formatting, session
from tl_core.ui.charts import comparing

PARAMETER = session.COST_PARAMETER
TITLES = {
    Cost.SECONDS: "Seconds",
    Cost.CPU_SECONDS: "CPU seconds",
    Cost.PARAMETERS: "Trained parameters",
    Cost.LABELS: "Labels a class",
}


def against_cost(runs: Sequence[Run], metric: Metric) -> None:
    """Draw `metric` of the tested runs against a cost that is chosen here, with the runs that no other beats in both."""
    values = compare_by.values(runs, metric)
    tested = [run for run in runs if run.id in values]
    if not tested:
        return
    cost = _choice()
    same = [run for run in tested if run.test_digest == tested[0].test_digest]
    _say_left_out(len(tested) - len(same), "tested on different images")
    # What a run used of the machine is read run by run.
    costs = {run.id: _cost(run, cost) for run in (same[: compare_by.MOST_COMPUTED] if cost is Cost.CPU_SECONDS else same)}
    names = formatting.names_apart(same)
    points = [_point(run, names[run.id], values[run.id], found) for run in same if (found := costs.get(run.id)) is not None]
    _say_left_out(len(same) - len(points), f"stored without this cost ({TITLES[cost].lower()})")
    alt = f"Test {metric.in_sentence} against {TITLES[cost].lower()} of the runs"
    formatting.chart(comparing.metric_against_cost(points, metric, cost), "frontier", alt)


def _choice() -> Cost:
    asked = st.query_params.get(PARAMETER)
    st.session_state["cost_axis"] = Cost(asked) if asked in set(Cost) else Cost.SECONDS
    return st.radio(
        "Against",
        list(TITLES),
        format_func=TITLES.__getitem__,
        horizontal=True,
        key="cost_axis",
        on_change=lambda: st.query_params.update({PARAMETER: st.session_state["cost_axis"]}),
        help="What the chart holds the runs against. The line joins those that no other beats in both.",
    )


def _cost(run: Run, cost: Cost) -> float | None:
    """Return what a run cost; None where that is not known, or where it took all labels there were."""
    match cost:
        case Cost.SECONDS:
            return run.seconds
        case Cost.CPU_SECONDS:
            return session.usage(run).cpu_seconds
        case Cost.PARAMETERS:
            return run.trainable_parameters
        case Cost.LABELS:
            return labels_of(run) or None


def _say_left_out(count: int, why: str) -> None:
    if count:
        runs = "1 run is left out of this chart: it was" if count == 1 else f"{count} runs are left out of this chart: they were"
        st.caption(f"{runs} {why}.")


def _point(run: Run, name: str, found: MetricValue, cost: float) -> RunPoint:
    interval = compared.ends_of(found)
    low, high = (interval.low, interval.high) if interval else (found.value, found.value)
    return RunPoint(run.id, name, run.spec.strategy.name, found.value, low, high, cost)
