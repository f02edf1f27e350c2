"""The model of a finished run as the backbone of the next one."""

import streamlit as st

from tl_core.backbones.finished_run import FinishedRun
from tl_core.errors import TransferError
from tl_core.runs.store import Run
from tl_core.ui import session, steps

ABOUT = "Take the network of this run, with what it has learned, as the backbone of the next one: on whatever data."


def start_from(run: Run) -> None:
    """Draw the button that puts the model of `run` into the recipe, in place of its backbone."""
    problem = _problem(run)
    pressed = st.button(
        "Start from this model",
        key="start_from",
        icon=":material/fork_right:",
        disabled=bool(problem),
        help=problem or ABOUT,
        on_click=session.change,
        args=({"backbone": FinishedRun.name, "backbone.run": run.id},),
    )
    if pressed:
        st.switch_page(steps.BACKBONE.script)


def _problem(run: Run) -> str:
    try:
        FinishedRun(run=run.id).require_weights()
    except TransferError as error:
        return str(error)
    return ""
