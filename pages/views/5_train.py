"""Train: the live run, and the queue beside it."""

import streamlit as st

from tl_core.runs.states import State
from tl_core.ui import formatting, frame, session
from tl_core.ui.label_bar import label_bar
from tl_core.ui.live import live
from tl_core.ui.queue_panel import queue_panel
from tl_core.ui.recipe_bar import recipe_bar
from tl_core.ui.rerun import again
from tl_core.ui.run_picker import chosen_run
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return how the chosen run stands."""
    chosen = chosen_run()
    return formatting.state_of(chosen) if chosen else ""


PAGE = PageInfo(5, "Train", ":material/counter_5:", "How is it going?", summary, frozenset(State))


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    recipe_bar()
    chosen = session.run_id()  # the frame has chosen the newest one where the address names none
    if chosen is None:
        st.info(
            "The live run is shown here: its curves, its pace and the machine's load, and beside it the queue. "
            "Press Start above to make the first one.",
            icon=":material/play_arrow:",
        )
        return
    view, beside = st.columns([2, 1], gap="large")
    with view, formatting.sentence_for_mistakes():
        live(chosen)
        label_bar(session.run(chosen))
        again(chosen)
    with beside:
        queue_panel(chosen)


if __name__ == "__main__":
    draw()
