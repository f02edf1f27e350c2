"""Result: how good it is, what it cost, and whether that is true."""

import streamlit as st

from tl_core.runs.states import State
from tl_core.ui import frame, outcomes, session, shown, steps
from tl_core.ui.picking import nothing_yet, pick

frame.heading(steps.RESULT)
finished = [run for run in session.runs() if run.state is State.DONE]

with shown.sentence_for_mistakes():
    wanted = session.run_id()
    if finished and wanted and session.run(wanted).state is not State.DONE:
        st.info(
            "The chosen run has no result yet; this is the newest one that has. See its state on the Train page.",
            icon=":material/hourglass_top:",
        )

if not finished:
    nothing_yet(
        "The result of a run is shown here: its accuracy with an interval, its mistakes, its cost. No run has finished yet."
    )
else:
    run = pick(finished)
    with shown.sentence_for_mistakes():
        result = session.result(run.id)
        outcomes.sentence(run, result)
        outcomes.controls(run)
        for note in result.notes:
            st.caption(shown.plain(note))
        outcomes.evidence(run, result)
