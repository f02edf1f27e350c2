"""A metric of runs against what they cost, on the Compare page: which cost is chosen there, and is in the address."""

from collections.abc import Sequence

import streamlit as st

from tl_core.analysis.comparison import Cost
from tl_core.metrics import Metric
from tl_core.report import figures
from tl_core.report.figures import COST_TITLES
from tl_core.runs.store import Run
from tl_core.ui import compare_by, formatting, session

PARAMETER = session.COST_PARAMETER


def against_cost(runs: Sequence[Run], metric: Metric) -> None:
    """Draw `metric` of the tested runs against a cost that is chosen here, with the runs that no other beats in both."""
    values = compare_by.values(runs, metric)
    tested = [run for run in runs if run.id in values]
    if tested:
        cost = _choice()
        drawing = figures.against_cost(tested, values, metric, cost, names=formatting.names_apart, reads=compare_by.reads(metric))
        formatting.draw(drawing, "frontier")


def chosen_cost() -> Cost:
    """Return the cost that the address names; seconds where it names none."""
    asked = st.query_params.get(PARAMETER)
    return Cost(asked) if asked in set(Cost) else Cost.SECONDS


def _choice() -> Cost:
    st.session_state["cost_axis"] = chosen_cost()
    return st.radio(
        "Against",
        list(COST_TITLES),
        format_func=COST_TITLES.__getitem__,
        horizontal=True,
        key="cost_axis",
        on_change=lambda: st.query_params.update({PARAMETER: st.session_state["cost_axis"]}),
        help="What the chart holds the runs against. The line joins those that no other beats in both.",
    )
