"""The frame around every page: the steps with their present choices, the device, and what runs now."""

from collections.abc import Sequence
from itertools import takewhile

import streamlit as st

from tl_core.machine import telemetry
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, queue_text, run_names, run_progress, session, steps
from tl_core.ui.run_picker import chosen_run

MOST_ELSEWHERE = 3
"""So many runs of a cluster are shown; of the others their number is told."""


def sidebar() -> None:
    """Draw the sidebar."""
    with st.sidebar:
        st.markdown("### Transfer Lab")
        address = session.url_parameters()
        # Beside the result of a run, what the next one would be is easily taken for that run's own settings.
        of_next = list(takewhile(lambda page: not page.shows, steps.pages()))
        for title, pages in (("Next run", of_next), ("Runs", steps.pages()[len(of_next) :])):
            st.markdown(f":small[**{title}**]")
            for page in pages:
                _step(page, page.summary(), address)
        st.divider()
        drawn = _standing()
        st.fragment(_running, run_every=session.POLL_SECONDS if drawn[0] else session.ATTENDED_SECONDS)(drawn)


Standing = tuple[bool, State | None, int | None, int]


def _standing() -> Standing:
    """Return what the page says of the store and polls in no other place: whether anything is alive, the state of the chosen run
    and what it takes of the disk, and how all runs are labelled."""
    runs = session.runs()
    chosen = chosen_run()
    of_chosen = (chosen.state, chosen.disk_bytes) if chosen else (None, None)
    return any(run.state.alive for run in runs), *of_chosen, run_names.current().version


def _step(page: steps.PageInfo, choice: str, address: dict[str, str]) -> None:
    icon = ":material/check_circle:" if choice else page.icon
    with st.container(gap=None):
        st.page_link(
            page.script,
            label=f"{page.number} {page.title}",
            icon=icon,
            query_params=address,
            help=page.question,
        )
        st.caption(formatting.plain(choice or page.question))


def choose_run(page: steps.PageInfo) -> None:
    """Look at the newest run that a page shows, archived ones aside, where this session looks at none yet."""
    newest = next((run for run in session.runs() if run.state in page.shows and not run.archived), None)
    if session.run_id() is None and newest:
        session.look_at(newest.id)


def heading(page: steps.PageInfo) -> None:
    """Draw the title of a page and the question it answers."""
    st.title(page.title, anchor=False)
    st.caption(page.question)


@st.cache_data(ttl=5, show_spinner=False)
def _devices() -> dict[str, str]:
    return telemetry.described()


def _running(drawn: Standing) -> None:
    with formatting.sentence_for_mistakes():
        session.ensure_runner()
        runs = session.runs()
        if _standing() != drawn:
            st.rerun()  # the whole page follows
        working, line = queue_text.at_work(runs), queue_text.line(runs)
        _held(working)
        st.caption(f"{len(line)} waiting" if line else "" if working else "Nothing is running.")


def _held(working: Sequence[Run]) -> None:
    """Draw each device with the run that holds it, and the runs that hold none of this machine: those of a cluster."""
    devices = _devices()
    for device, title in devices.items():
        st.caption(f":material/memory: {formatting.plain(title)}")
        for run in working:
            if run.device == device:
                run_progress.progress(run, titled=True)
    elsewhere = [run for run in working if run.device not in devices]
    if elsewhere:
        st.caption(":material/hub: Elsewhere")
    for run in elsewhere[:MOST_ELSEWHERE]:
        run_progress.progress(run, titled=True)
    if len(elsewhere) > MOST_ELSEWHERE:
        st.caption(f"{len(elsewhere) - MOST_ELSEWHERE} more running")
