"""The queue beside the live run: what is at work, who waits in which place, what is paused, what finished last."""

import time
from collections.abc import Sequence

import streamlit as st

from tl_core.runner import control
from tl_core.runs.score import score
from tl_core.runs.states import State
from tl_core.runs.store import Priority, Run, Store
from tl_core.ui import formatting, queue_text, run_filters, run_progress, session

MOST_WAITING, MOST_OTHERS = 8, 4
"""How many runs of a list are shown; of the others their number is told."""
HOLD, REMOVE = "Hold", "Remove"


def queue_panel(looked_at: str) -> None:
    """Show the queue, every two seconds while anything goes on. `looked_at` is the run that the page shows."""
    alive = any(run.state.alive for run in session.runs())
    st.fragment(_panel, run_every=session.POLL_SECONDS if alive else None)(looked_at, alive)


def _panel(looked_at: str, was_alive: bool) -> None:
    with formatting.sentence_for_mistakes():
        runs = session.runs()
        if any(run.state.alive for run in runs) != was_alive or session.run_id() not in {looked_at, None}:
            st.rerun()  # the whole page follows
        working, line = queue_text.at_work(runs), queue_text.line(runs)
        st.markdown("**Queue**")
        st.caption(f"{len(working)} running, {len(line)} waiting" if working or line else "Nothing is running or waiting.")
        for run in working[:MOST_WAITING]:
            _at_work(run, looked_at)
        for place, run in enumerate(line[:MOST_WAITING], start=1):
            _waiting(run, place, len(line), looked_at)
        _say_more(len(line) - MOST_WAITING, "waiting")
        listed = run_filters.listed(runs)
        _paused([run for run in listed if run.state is State.PAUSED], looked_at)
        _ended([run for run in listed if run.state.ended], looked_at)


def _title(run: Run, looked_at: str, before: str = "") -> None:
    """Draw the run by its name, which leads to it; the one that is looked at stands out and leads nowhere."""
    name = before + formatting.plain(formatting.name_of(run))
    if run.id == looked_at:
        st.markdown(f"**{name}**")
        return
    st.button(
        name,
        key=f"look_at_{run.id}",
        type="tertiary",
        wrap=True,
        help=formatting.plain(f"Look at this run: {formatting.parts_of(run)}."),
        on_click=session.look_at,
        args=(run.id,),
    )


def _at_work(run: Run, looked_at: str) -> None:
    with st.container(gap="xsmall", key=f"at_work_{run.id}"):
        _title(run, looked_at)
        run_progress.progress(run)


def _waiting(run: Run, place: int, of: int, looked_at: str) -> None:
    with st.container(gap=None, key=f"waiting_{run.id}"):
        _title(run, looked_at, f"{place}\\. ")
        facts = [] if run.priority is Priority.NORMAL else [f"{run.priority.name.lower()} priority"]
        facts += [formatting.data_of(run), f"waiting for {formatting.clock(run.waiting_seconds(time.time()))}"]
        st.caption(formatting.plain(" · ".join(facts)))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _move("Up", run, place - 1, "Move it ahead of the run before it.", disabled=place == 1)
            _move("Down", run, place + 1, "Move it behind the run after it.", disabled=place == of)
            _more(run)


def _move(label: str, run: Run, place: int, about: str, *, disabled: bool) -> None:
    st.button(
        label,
        key=f"{label.lower()}_{run.id}",
        type="tertiary",
        icon=f":material/arrow_{label.lower()}ward:",
        help=about,
        disabled=disabled,
        on_click=session.request,
        args=(control.move, run.id, place),
    )


def _more(run: Run) -> None:
    """Draw a menu of what else can be done with a waiting run. A menu keeps no value, so that no redrawing can take one away."""
    priorities = {f"{priority.name.capitalize()} priority": priority for priority in sorted(Priority, reverse=True)}
    key = f"more_{run.id}"

    def choose() -> None:
        chosen = st.session_state[key]
        session.request(_fulfil, run.id, priorities.get(chosen, chosen))

    others = [title for title, priority in priorities.items() if priority is not run.priority]
    about = "Change its priority, hold it, or remove it from the queue."
    st.menu_button("More", [*others, HOLD, REMOVE], key=key, type="tertiary", help=about, on_click=choose)


def _fulfil(store: Store, run_id: str, chosen: Priority | str) -> None:
    if isinstance(chosen, Priority):
        control.prioritise(store, run_id, chosen)
    elif chosen == HOLD:
        control.pause(store, run_id)
    elif chosen == REMOVE:
        control.stop(store, run_id)


def _paused(runs: Sequence[Run], looked_at: str) -> None:
    if runs:
        st.markdown("**Paused**")
    for run in runs[:MOST_OTHERS]:
        with st.container(gap=None, key=f"paused_{run.id}"):
            _title(run, looked_at)
            about = "Put it at the end of the queue; it continues from its last checkpoint."
            st.button(
                "Resume",
                key=f"resume_{run.id}",
                type="tertiary",
                icon=":material/resume:",
                help=about,
                on_click=session.request,
                args=(control.resume, run.id),
            )
    _say_more(len(runs) - MOST_OTHERS, "paused")


def _ended(runs: Sequence[Run], looked_at: str) -> None:
    if runs:
        st.markdown("**Last finished**")
    for run in sorted(runs, key=lambda run: run.state_revision, reverse=True)[:MOST_OTHERS]:
        with st.container(gap=None, key=f"ended_{run.id}"):
            _title(run, looked_at)
            ended = score(run) or formatting.state_of(run)
            st.caption(formatting.plain(f"{formatting.data_of(run)} · {ended}"))


def _say_more(number: int, what: str) -> None:
    if number > 0:
        st.caption(f"{number} more {'is' if number == 1 else 'are'} {what}.")
