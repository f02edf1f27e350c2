"""Predict: what a finished run says of pictures or texts that somebody brings."""

import streamlit as st

from tl_core.runs.states import State
from tl_core.ui import formatting, frame, predictions, run_filters
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return how many files were brought in this session."""
    files = predictions.given()
    return f"{len(files):,} {'file' if len(files) == 1 else 'files'}" if files else ""


PAGE = PageInfo(9, "Predict", ":material/counter_9:", "What does it say of your own data?", summary, frozenset({State.DONE}))


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    run = run_filters.finished_run("A trained model says here what it makes of your own pictures or texts.")
    if run is None:
        return
    choice, evidence = st.columns([1, 2], gap="large")
    with formatting.sentence_for_mistakes():
        with choice:
            study = predictions.asked(run)
        with evidence:
            predictions.predictions(run, study)


if __name__ == "__main__":
    draw()
