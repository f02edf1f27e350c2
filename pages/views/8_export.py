"""Export: a finished run's model in a format that runs elsewhere."""

import streamlit as st

from tl_core.exports import formats
from tl_core.runs import exported
from tl_core.runs.states import State
from tl_core.ui import exports, formatting, frame, run_filters, session
from tl_core.ui.run_picker import chosen_run
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return in which formats the chosen run was found to say the same."""
    chosen = chosen_run()
    found = exported.read(session.store().folder(chosen.id)) if chosen else {}
    known = formats.parts()
    return ", ".join(known[name].title for name, parity in found.items() if parity.is_good and name in known)


PAGE = PageInfo(8, "Export", ":material/counter_8:", "Does it say the same elsewhere?", summary, frozenset({State.DONE}))


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    run = run_filters.finished_run("A trained model leaves from here, in formats that run elsewhere.")
    if run is None:
        return
    choice, evidence = st.columns([1, 2], gap="large")
    with choice:
        exports.cards(exported.read(session.store().folder(run.id)))
    with evidence, formatting.sentence_for_mistakes():
        exports.panel(run)


if __name__ == "__main__":
    draw()
