"""Train: the live run."""

import streamlit as st

from tl_core.ui import frame, session, shown, steps
from tl_core.ui.live import live
from tl_core.ui.recipe_bar import recipe_bar

frame.heading(steps.TRAIN)
recipe_bar()
runs = session.runs()
chosen = session.run_id() or (runs[0].id if runs else None)

if chosen is None:
    st.info(
        "The live run is shown here: its curves, its pace and the machine's load. Press Start above to make the first one.",
        icon=":material/play_arrow:",
    )
    st.stop()

view, others = st.columns([4, 1], gap="large")
with view, shown.sentence_for_mistakes():
    live(chosen)

with others:
    st.markdown("**Latest runs**")
    for run in runs[:6]:
        title = shown.plain(shown.model_of(run))
        st.button(
            title,
            key=f"latest_{run.id}",
            type="tertiary",
            disabled=run.id == chosen,
            wrap=True,
            on_click=session.look_at,
            args=(run.id,),
        )
        st.caption(shown.plain(f"{run.state}, {shown.accuracy_of(run)}" if run.accuracy else run.state))
