"""The groups of the store as all browsers see them, and which of them a session looks at."""

from collections.abc import Sequence

import streamlit as st

from tl_core.runs import groups
from tl_core.runs.groups import StoredGroup
from tl_core.runs.store import Run
from tl_core.ui import session

CHOSEN = "chosen_group"


@st.cache_resource(ttl=session.SHARED_SECONDS, show_spinner=False)
def listed() -> Sequence[StoredGroup]:
    """Return every group, the newest first; read at most once for all browsers that look at the same time."""
    return tuple(groups.listed(session.store()))


def chosen() -> StoredGroup | None:
    """Return the group that this session looks at: the address's, else the one it looked at last, else the newest."""
    wanted = st.query_params.get(session.GROUP_PARAMETER) or st.session_state.get(CHOSEN)
    every = listed()
    return next((each for each in every if each.id == wanted), None if wanted else next(iter(every), None))


def look_at(group_id: str) -> None:
    """Choose a group, and put it into the address. The store is read again."""
    listed.clear()
    st.session_state[CHOSEN] = group_id
    st.query_params[session.GROUP_PARAMETER] = group_id


def forget() -> None:
    """Look at no group in particular: the one that was looked at has gone."""
    listed.clear()
    st.session_state.pop(CHOSEN, None)
    st.query_params.pop(session.GROUP_PARAMETER, None)


def label(found: StoredGroup) -> str:
    """Return a group as a list shows it."""
    return f"{found.group.name} ({found.id[-6:]})"


def runs_of(found: StoredGroup) -> list[Run]:
    """Return the runs of a group in the order of its axes."""
    return found.among(session.runs())
