"""Predict: what a finished run says of pictures that somebody brings."""

import streamlit as st

from tl_core.runs.states import State
from tl_core.ui import formatting, frame, predictions, run_filters, session
from tl_core.ui.run_picker import nothing_yet, pick
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return how many files were brought in this session."""
    files = predictions.given()
    return f"{len(files):,} {'file' if len(files) == 1 else 'files'}" if files else ""


PAGE = PageInfo(9, "Predict", ":material/counter_9:", "What does it say of your pictures?", summary, frozenset({State.DONE}))


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    finished = [run for run in session.runs() if run.state is State.DONE]
    if not finished:
        nothing_yet("A trained model says here what it sees in your own pictures. No run has finished yet.")
        return
    shown = run_filters.filtered(finished, keep=[session.run_id() or ""])
    run = pick(shown) if shown else None
    if run is None:
        return
    choice, evidence = st.columns([1, 2], gap="large")
    with formatting.sentence_for_mistakes():
        with choice:
            files = predictions.brought(run)
        with evidence:
            predictions.predictions(run, files)


if __name__ == "__main__":
    draw()
