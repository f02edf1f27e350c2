"""Compare: which run is better, and whether that is true."""

import streamlit as st

from tl_core.ui import comparison, formatting, frame, run_filters, same_data, session, steps
from tl_core.ui.run_picker import nothing_yet

frame.heading(steps.COMPARE)
runs = session.runs()

if not runs:
    nothing_yet("Every run is a row here, to sort, filter and compare. There is none yet.")
else:
    with formatting.sentence_for_mistakes():
        shown = run_filters.filtered(runs, keep=comparison.wanted())
        if not shown:
            st.stop()
        rows = comparison.filtered(comparison.table(shown))
        by_id = {run.id: run for run in runs}
        for run_id in comparison.wanted():
            with formatting.sentence_for_mistakes():
                session.run(run_id)  # one that the address names may have been deleted
        picked = [by_id[run_id] for run_id in comparison.choose(rows)]
        comparison.verdicts(picked)
        same_data.among(picked)
        comparison.charts([by_id[run_id] for run_id in rows["Run"]], picked)
        comparison.differences(picked)
    st.caption("A run's own page: choose it under Result. This page's address holds the selection, to share or to keep.")
