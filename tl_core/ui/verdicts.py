"""What the Compare page says of the chosen runs: each against a baseline, with the test that tells."""

from collections.abc import Sequence

import streamlit as st

from tl_core.metrics import Metric
from tl_core.report import sentences
from tl_core.runs import findings
from tl_core.runs.findings import Findings
from tl_core.runs.store import Run
from tl_core.ui import compare_by, formatting, session

MOST_VERDICTS = 20
BASELINE = session.AGAINST_PARAMETER


def found_of(chosen: Sequence[Run], metric: Metric) -> Findings | None:
    """Let one of the chosen runs be the baseline, and return what is found of those that have a value of `metric`; None where
    none has."""
    values = compare_by.values(chosen, metric)
    tested = [run for run in chosen if run.id in values]
    if len(tested) < 2:
        st.caption("Select two or more finished runs to see which is better, and whether the difference is significant.")
    if not tested:
        return None
    baseline = _baseline(tested) if len(tested) > 2 else tested[0]
    return findings.find(tested, values, metric, compare_by.reads(metric), baseline=baseline, most=MOST_VERDICTS)


def verdicts(found: Findings) -> None:
    """Write for each run but the baseline, or for the seeds that it has in common with that, a sentence that compares them."""
    for text in sentences.verdicts(found, formatting.names_apart):
        st.markdown(f"- {formatting.plain(text)}")
    if found.left:
        more = f"{found.left:,} more comparisons"
        st.caption(f"{more} are left out here, and their runs are in the table and in the charts. Select fewer to read them.")


def _baseline(tested: Sequence[Run]) -> Run:
    """Draw the choice of the baseline, which the address holds, and return it; the first run unless another one is chosen."""
    names = formatting.names_apart(tested)
    by_id = {run.id: run for run in tested}
    asked = st.query_params.get(BASELINE)
    st.session_state["baseline"] = asked if asked in by_id else tested[0].id
    chosen = st.selectbox(
        "Baseline",
        list(by_id),
        format_func=names.__getitem__,
        key="baseline",
        on_change=lambda: st.query_params.update({BASELINE: st.session_state["baseline"]}),
        help="The run that the others are compared with. Where it was repeated with other seeds, they count, too: the comparison "
        "is then over the seeds that both sides have.",
    )
    return by_id[chosen]
