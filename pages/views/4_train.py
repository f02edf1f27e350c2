"""Train: the live run, and the queue beside it."""

import streamlit as st

from tl_core.ui import formatting, frame, run_filters, session, steps
from tl_core.ui.label_bar import label_bar
from tl_core.ui.live import live
from tl_core.ui.queue_panel import queue_panel
from tl_core.ui.recipe_bar import recipe_bar
from tl_core.ui.rerun import again

frame.heading(steps.TRAIN)
recipe_bar()
runs = session.runs()
chosen = session.run_id() or next((run.id for run in run_filters.listed(runs)), None)

if chosen is None:
    st.info(
        "The live run is shown here: its curves, its pace and the machine's load, and beside it the queue. "
        "Press Start above to make the first one.",
        icon=":material/play_arrow:",
    )
    st.stop()

view, beside = st.columns([2, 1], gap="large")
with view, formatting.sentence_for_mistakes():
    live(chosen)
    label_bar(session.run(chosen))
    again(chosen)

with beside:
    queue_panel(chosen)
