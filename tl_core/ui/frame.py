"""The frame around every page: the six steps with their present choices, the device, and what runs now."""

import time
from collections.abc import Sequence

import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.errors import TransferError
from tl_core.machine import telemetry
from tl_core.runs.eta import eta
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, previews, queue_text, run_filters, run_names, session, steps
from tl_core.ui.recipe_bar import require_allowed_paths

MOST_ELSEWHERE = 3
"""So many runs of a cluster are shown; of the others their number is told."""


def sidebar() -> None:
    """Draw the sidebar."""
    with st.sidebar:
        st.markdown("### Transfer Lab")
        choices, address = _choices(), session.url_parameters()
        for step in steps.STEPS:
            _step(step, choices[step], address)
        st.divider()
        drawn = _standing()
        st.fragment(_running, run_every=session.POLL_SECONDS if drawn[0] else session.ATTENDED_SECONDS)(drawn)


Standing = tuple[bool, State | None, int | None, int]


def _standing() -> Standing:
    """Return what the page says of the store and polls in no other place: whether anything is alive, the state of the chosen run
    and what it takes of the disk, and how all runs are labelled."""
    runs = session.runs()
    chosen = next((run for run in runs if run.id == session.run_id()), None)
    of_chosen = (chosen.state, chosen.disk_bytes) if chosen else (None, None)
    return any(run.state.alive for run in runs), *of_chosen, run_names.current().version


def _step(step: steps.PageInfo, choice: str, address: dict[str, str]) -> None:
    icon = ":material/check_circle:" if choice else step.icon
    with st.container(gap=None):
        st.page_link(
            step.script,
            label=f"{step.number} {step.title}",
            icon=icon,
            query_params=address,
            help=step.question,
        )
        st.caption(formatting.plain(choice or step.question))


def heading(step: steps.PageInfo) -> None:
    """The title of a page and the question it answers."""
    st.title(step.title, anchor=False)
    st.caption(step.question)


@st.cache_data(ttl=5, show_spinner=False)
def _devices() -> dict[str, str]:
    return telemetry.described()


def _choices() -> dict[steps.PageInfo, str]:
    """Under each step what is chosen there; empty where nothing is yet."""
    recipe = session.recipe()
    runs = session.runs()
    chosen = next((run for run in runs if run.id == session.run_id()), None)
    listed = len(run_filters.listed(runs))
    return {
        steps.DATASET: recipe.dataset.shown_name + _classes(),
        steps.BACKBONE: f"{recipe.backbone.listing().title}, {recipe.image_size} px",
        steps.STRATEGY: recipe.strategy.title,
        steps.TRAIN: formatting.state_of(chosen) if chosen else "",
        steps.RESULT: formatting.accuracy_of(chosen) if chosen and chosen.state is State.DONE else "",
        steps.COMPARE: f"{listed} runs" if listed > 1 else "",
    }


def _classes() -> str:
    recipe = session.recipe()
    try:
        require_allowed_paths(recipe)
        return f", {len(previews.preview(recipe.dataset, recipe.seed).class_names)} classes"
    except TransferError:
        return ""


def _running(drawn: Standing) -> None:
    with formatting.sentence_for_mistakes():
        session.ensure_runner()
        runs = session.runs()
        if _standing() != drawn:
            st.rerun()  # the whole page follows
        working, line = queue_text.at_work(runs), queue_text.line(runs)
        _held(working)
        st.caption(f"{len(line)} waiting" if line else "" if working else "Nothing runs now.")


def _held(working: Sequence[Run]) -> None:
    """Each device with the run that holds it, and the runs that hold none of this machine: those of a cluster."""
    devices = _devices()
    for device, title in devices.items():
        st.caption(f":material/memory: {formatting.plain(title)}")
        for run in working:
            if run.device == device:
                _progress(run)
    elsewhere = [run for run in working if run.device not in devices]
    if elsewhere:
        st.caption(":material/hub: Elsewhere")
    for run in elsewhere[:MOST_ELSEWHERE]:
        _progress(run)
    if len(elsewhere) > MOST_ELSEWHERE:
        st.caption(f"{len(elsewhere) - MOST_ELSEWHERE} more at work")


def _progress(run: Run) -> None:
    left = eta(run, time.time())
    about = f", about {seconds(left)} left" if left is not None else ""
    st.progress(run.done, text=formatting.plain(f"{formatting.title_of(run)}: {run.stage or formatting.state_of(run)}{about}"))
