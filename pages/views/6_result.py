"""Result: how good it is, what it cost, and whether that is true."""

import streamlit as st

from tl_core.notes import sentences
from tl_core.runs.states import State
from tl_core.ui import (
    controls,
    formatting,
    frame,
    other_data,
    outcomes,
    repeating,
    run_filters,
    same_data,
    session,
    start_from,
    steps,
    teacher,
)
from tl_core.ui.label_bar import label_bar
from tl_core.ui.run_picker import chosen_run
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return the test accuracy of the chosen run, or the value of the metric that decides it."""
    chosen = chosen_run()
    return formatting.decided(chosen) if chosen and chosen.state is State.DONE else ""


PAGE = PageInfo(6, "Result", ":material/counter_6:", "How good is it, and what did it cost?", summary, frozenset({State.DONE}))


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    with formatting.sentence_for_mistakes():
        draw_unfinished(session.run_id())
    run = run_filters.finished_run("The result of a run is shown here: how good it is with an interval, its mistakes, its cost.")
    if run is None:
        return
    with formatting.sentence_for_mistakes():
        result = session.result(run.id)
        label_bar(run)
        outcomes.sentence(run, result)
        controls.controls(run)
        with st.container(horizontal=True, key="onward"):
            start_from.start_from(run)
            repeating.again(run)
        repeating.verdict(run)
        teacher.teacher_and_student(run)
        same_data.beside(run)
        for note in sentences(result.notes):
            st.caption(formatting.plain(note))
        other_data.other_data(run)
        outcomes.evidence(run, result)


def draw_unfinished(wanted: str | None) -> None:
    """Say where the wanted run has no result, and where it can be watched."""
    if wanted and session.run(wanted).state is not State.DONE:
        state = formatting.state_of(session.run(wanted))
        st.info(f"This run has no result. It is {state.lower()}.", icon=":material/hourglass_top:")
        st.page_link(steps.TRAIN.script, label="See it on the Train page", query_params=session.url_parameters())


if __name__ == "__main__":
    draw()
