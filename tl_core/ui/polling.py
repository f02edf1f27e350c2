"""Short work in a process of its own: what it has come to, looked at every second while it is at work."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from tl_core.jobs.background import Ending
from tl_core.ui import formatting, session

T = TypeVar("T", bound=Ending)
POLL_SECONDS = 1.0


def polled(asker: str, read: Callable[[], T | None], panel: Callable[[T | None], None]) -> None:
    """Draw `panel` with what `read` gives of the work, and below it why the last wish of `asker` was refused.

    A fragment redraws nothing but itself, and what a button in the panel changes is shown all over the page: so there is none
    while nothing is at work.
    """
    at_work = is_at_work(read())
    draw = st.fragment(_draw, run_every=POLL_SECONDS, key=f"polled_{asker}") if at_work else _draw
    draw(asker, read, panel, at_work)


def _draw(asker: str, read: Callable[[], T | None], panel: Callable[[T | None], None], was_at_work: bool) -> None:
    found = read()
    if is_at_work(found) != was_at_work:
        st.rerun()  # the polling begins or ends
    panel(found)
    refused(asker)


def is_at_work(found: Ending | None) -> bool:
    """Return whether there is something that has not ended."""
    return found is not None and not found.finished


def refused(asker: str) -> None:
    """Say why the last wish of `asker` could not be fulfilled."""
    why = session.refusal(asker)
    if why:
        formatting.say_wrong(why)
