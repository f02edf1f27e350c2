"""How far a run is, in the same words wherever it is shown."""

import time

import streamlit as st

from tl_core.analysis.stage_titles import stage_title
from tl_core.analysis.statements import seconds
from tl_core.runs.eta import stored_eta
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, session

ENDING = {State.CANCELLING: "Stopping at the next batch", State.PAUSING: "Pausing: saving a checkpoint at the next batch"}


def seconds_left(run: Run, now: float) -> float | None:
    """Return the seconds until `run` ends; None where nothing can be said of it. `now` is in seconds since 1970."""
    return stored_eta(run, now, session.store().folder(run.id))


def activity(run: Run) -> str:
    """Return what a run does now."""
    return ENDING.get(run.state) or stage_title(run.stage, run.done) or "Launching its process"


def progress(run: Run, *, titled: bool = False) -> None:
    """Draw the bar of a run with what it does and how long it still takes; where `titled`, what it is called comes first."""
    left = seconds_left(run, time.time())
    words = activity(run) + (f", about {seconds(left)} left" if left else "")
    st.progress(run.done, text=formatting.plain(f"{formatting.title_of(run)}: {words}" if titled else words))
