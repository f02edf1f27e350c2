"""The model of a finished run in the next one: as its backbone, or as the teacher of a smaller one."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from tl_core.backbones.finished_run import FinishedRun
from tl_core.errors import TransferError
from tl_core.runs.store import Run
from tl_core.strategies.distillation import Distillation
from tl_core.ui import session, steps

ABOUT = "Take the network of this run, with what it has learned, as the backbone of the next one: on whatever data."
ABOUT_TEACHING = "Let a smaller network learn from what this run says of its training examples, beside their labels."


def start_from(run: Run) -> None:
    """Draw the buttons that put the model of `run` into the recipe: in place of its backbone, or as a teacher of it."""
    with st.container(horizontal=True, key="next_run"):
        _start_from(FinishedRun(run=run.id))
        _let_teach(Distillation(teacher=run.id))


def _start_from(source: FinishedRun) -> None:
    settings = {"backbone": source.name, "backbone.run": source.run}
    looks = {"label": "Start from this model", "key": "start_from", "icon": ":material/fork_right:"}
    if _button(source.require_weights, ABOUT, settings, looks):
        st.switch_page(steps.BACKBONE.script)


def _let_teach(teaching: Distillation) -> None:
    settings = {"strategy": teaching.name, "strategy.teacher": teaching.teacher}
    looks = {"label": "Let it teach", "key": "let_teach", "icon": ":material/school:"}
    if _button(teaching.require_ready, ABOUT_TEACHING, settings, looks):
        st.switch_page(steps.STRATEGY.script)


def _button(require: Callable[[], None], about: str, settings: Mapping[str, Any], looks: Mapping[str, Any]) -> bool:
    """Draw a button with these `looks` that changes `settings` of the recipe, disabled with the reason where `require` raises a
    `TransferError`; return whether it was pressed."""
    problem = ""
    try:
        require()
    except TransferError as error:
        problem = str(error)
    return st.button(**looks, disabled=bool(problem), help=problem or about, on_click=session.change, args=(settings,))
