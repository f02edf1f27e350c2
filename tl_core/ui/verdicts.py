"""What the Compare page says of the chosen runs: each against a baseline, with the test that tells."""

from collections.abc import Mapping, Sequence

import streamlit as st

from tl_core.metrics import Metric
from tl_core.runs import seeds
from tl_core.runs.seeds import Match
from tl_core.runs.store import Run
from tl_core.ui import compare_by, formatting, session

MOST_VERDICTS = 20
BASELINE = session.AGAINST_PARAMETER


def verdicts(chosen: Sequence[Run], metric: Metric) -> None:
    """Let one of the chosen runs be the baseline, and write for each other one, or for the seeds that it has in common with the
    baseline, a sentence that compares them by `metric`, with its test."""
    values = compare_by.values(chosen, metric)
    tested = [run for run in chosen if run.id in values]
    if len(tested) < 2:
        st.caption("Select two or more finished runs to see which is better, and whether the difference is significant.")
        return
    baseline = _baseline(tested) if len(tested) > 2 else tested[0]
    found = seeds.matches(baseline, tested, values)
    shown = found[:MOST_VERDICTS]
    tests = seeds.tested(shown, lambda one, other: compare_by.tested(one, other, metric))
    for text in seeds.verdicts(shown, tests, names_of(shown), values, metric):
        st.markdown(f"- {formatting.plain(text)}")
    if len(found) > MOST_VERDICTS:
        more = f"{len(found) - MOST_VERDICTS:,} more comparisons"
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


def names_of(found: Sequence[Match]) -> Mapping[str, str]:
    """Return names that tell the sides of matches apart, by the ids of their first runs."""
    return formatting.names_apart(
        list({side[0].id: side[0] for match in found for side in (match.baseline, match.others)}.values())
    )
