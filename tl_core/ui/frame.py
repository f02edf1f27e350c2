"""The frame around every page: the six steps with their present choices, the device, and what runs now."""

import time

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.errors import TransferError
from tl_core.runs import telemetry
from tl_core.runs.states import State
from tl_core.runs.watching import eta
from tl_core.ui import previews, session, shown, steps
from tl_core.ui.recipe_bar import require_allowed_paths


def sidebar() -> None:
    """Draw the sidebar."""
    with st.sidebar:
        st.markdown("### Transfer Lab")
        choices, address = _choices(), session.url_parameters()
        for step in steps.STEPS:
            _step(step, choices[step], address)
        st.divider()
        st.caption(f":material/memory: {_device()}")
        alive = [run for run in session.runs() if run.state.alive]
        st.fragment(_running, run_every=session.POLL_SECONDS if alive else None)(bool(alive))


def _step(step: steps.Step, choice: str, address: dict[str, str]) -> None:
    icon = ":material/check_circle:" if choice else step.icon
    with st.container(gap=None):
        st.page_link(
            step.script,
            label=f"{step.number} {step.title}",
            icon=icon,
            query_params=address,
            help=step.question,
        )
        st.caption(shown.plain(choice or step.question))


def heading(step: steps.Step) -> None:
    """The title of a page and the question it answers."""
    st.title(step.title, anchor=False)
    st.caption(step.question)


@st.cache_data(ttl=5, show_spinner=False)
def _device() -> str:
    return telemetry.device()


def _choices() -> dict[steps.Step, str]:
    """Under each step what is chosen there; empty where nothing is yet."""
    recipe = session.recipe()
    runs = session.runs()
    chosen = next((run for run in runs if run.id == session.run_id()), None)
    return {
        steps.DATASET: recipe.dataset.title + _classes(),
        steps.BACKBONE: f"{recipe.backbone.listing().title}, {recipe.image_size} px",
        steps.STRATEGY: recipe.strategy.title,
        steps.TRAIN: chosen.state.capitalize() if chosen else "",
        steps.RESULT: shown.accuracy_of(chosen) if chosen and chosen.state is State.DONE else "",
        steps.COMPARE: f"{len(runs)} runs" if len(runs) > 1 else "",
    }


def _classes() -> str:
    recipe = session.recipe()
    try:
        require_allowed_paths(recipe)
        return f", {len(previews.preview(recipe.dataset, recipe.seed).class_names)} classes"
    except TransferError:
        return ""


def _running(was_running: bool) -> None:
    alive = [run for run in session.runs() if run.state.alive]
    if was_running and not alive:
        st.rerun()
    for run in alive[:3]:
        left = eta(run, time.time())
        text = f"{shown.title_of(run)}: {run.stage or run.state}" + (f", about {seconds(left)} left" if left is not None else "")
        st.progress(run.done, text=shown.plain(text))
    if not alive:
        st.caption("Nothing runs now.")
