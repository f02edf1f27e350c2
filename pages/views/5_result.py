"""Result: how good it is, what it cost, and whether that is true."""

import streamlit as st

from tl_core.runs.states import State
from tl_core.ui import formatting, frame, outcomes, run_filters, same_data, session, steps
from tl_core.ui.label_bar import label_bar
from tl_core.ui.run_picker import nothing_yet, pick

frame.heading(steps.RESULT)
finished = [run for run in session.runs() if run.state is State.DONE]

wanted = session.run_id()
with formatting.sentence_for_mistakes():
    if wanted and session.run(wanted).state is not State.DONE:
        state = formatting.state_of(session.run(wanted))
        st.info(f"This run has no result. It is {state.lower()}.", icon=":material/hourglass_top:")
        st.page_link(steps.TRAIN.script, label="See it on the Train page", query_params=session.url_parameters())

if not finished:
    nothing_yet(
        "The result of a run is shown here: its accuracy with an interval, its mistakes, its cost. No run has finished yet."
    )
else:
    shown = run_filters.filtered(finished, keep=[wanted or ""])
    run = pick(shown) if shown else None
    if run is None:
        st.stop()
    with formatting.sentence_for_mistakes():
        result = session.result(run.id)
        label_bar(run)
        outcomes.sentence(run, result)
        outcomes.controls(run)
        same_data.beside(run)
        for note in result.notes:
            st.caption(formatting.plain(note))
        outcomes.evidence(run, result)
