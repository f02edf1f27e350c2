"""Picking one run among the stored ones; the choice is in the URL."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from tl_core.runs.store import Run
from tl_core.ui import formatting, run_names, session, steps


def chosen_run() -> Run | None:
    """Return the run that this session looks at, where there is one of that id."""
    wanted = session.run_id()
    return next((run for run in session.runs() if run.id == wanted), None)


def pick(runs: Sequence[Run]) -> Run | None:
    """Draw a select box over `runs` (at least one) and return the chosen one.

    It stands at the session's run, and at the newest where there is none. A run that is not among `runs` is never replaced by
    another one: then nothing is chosen, and None is returned.
    """
    by_id = {run.id: run for run in runs}
    wanted = session.run_id() or runs[0].id
    st.session_state["picked_run"] = wanted if wanted in by_id else None
    picked = st.selectbox(
        "Run",
        list(by_id),
        index=0 if wanted in by_id else None,
        placeholder="Choose a run that has a result",
        key="picked_run",
        format_func=lambda run_id: label(by_id[run_id]),
        on_change=lambda: session.look_at(st.session_state["picked_run"]),
        help="Any finished run. The address of this page names the chosen one.",
    )
    if picked is None:
        return None
    session.look_at(picked)
    return by_id[picked]


def label(run: Run) -> str:
    """Return a run as a list shows it: its name, its words, its accuracy, when it was made, its tags, and the end of its id,
    since a browser knows an entry by its text."""
    made = datetime.fromtimestamp(run.created).strftime("%d %b %H:%M")
    tags = " ".join(f"#{tag}" for tag in run.tags)
    facts = (run.name, formatting.model_of(run), formatting.data_of(run), formatting.accuracy_of(run), made, tags)
    return ("\N{BLACK STAR} " if run.starred else "") + " · ".join([*filter(None, facts), run_names.short_id(run)])


def nothing_yet(what: str) -> None:
    """Draw an empty page that says what will be here and leads to where it begins."""
    st.info(what, icon=":material/inbox:")
    address = session.url_parameters()
    st.page_link(steps.DATASET.script, label="Begin with the dataset", icon=":material/arrow_forward:", query_params=address)
