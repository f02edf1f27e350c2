"""Compare: which run is better, and whether that is true."""

import streamlit as st

from tl_core.ui import (
    compare_by,
    comparison,
    formatting,
    frame,
    label_counts,
    report,
    run_filters,
    same_data,
    session,
    transfers,
    verdicts,
)
from tl_core.ui.run_picker import nothing_yet
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return how many runs there are to compare."""
    count = len(run_filters.listed(session.runs()))
    return f"{count} runs" if count > 1 else ""


PAGE = PageInfo(7, "Compare", ":material/counter_7:", "Which run is better, and is the difference real?", summary)


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    runs = session.runs()
    if not runs:
        nothing_yet("All runs are listed here, to sort, filter and compare. There are none yet.")
        return
    with formatting.sentence_for_mistakes():
        wanted = comparison.wanted()
        shown = run_filters.by_group_and_day(run_filters.filtered(runs, keep=wanted), keep=wanted)
        if not shown:
            return
        metric = compare_by.choice(shown)
        rows = comparison.filtered(comparison.table(shown, metric))
        by_id = {run.id: run for run in runs}
        for run_id in wanted:
            with formatting.sentence_for_mistakes():
                session.run(run_id)  # one that the address names may have been deleted
        picked = [by_id[run_id] for run_id in comparison.choose(rows, metric)]
        found = verdicts.found_of(picked, metric)
        if found:
            verdicts.verdicts(found)
            transfers.transfers(found)
        same_data.among(picked)
        if found:
            label_counts.by_labels(found)
        comparison.charts([by_id[run_id] for run_id in rows["Run"]], picked, metric, found)
        comparison.differences(picked)
        if found:
            report.report(found)
    st.caption("Choose a run on the page Result to see all of it. The address of this page holds the selection.")


if __name__ == "__main__":
    draw()
