"""Which of many runs a list shows: by tags, by star, and whether archived ones are among them; by group and by day. The address
holds what is chosen."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

import streamlit as st

from tl_core.errors import RunError
from tl_core.runs import labels
from tl_core.runs.groups import SEE, StoredGroup
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import address, formatting, session, stored_groups
from tl_core.ui.address import ONLY
from tl_core.ui.run_picker import nothing_yet, pick


def listed(runs: Sequence[Run]) -> list[Run]:
    """Return those of `runs` that a list shows unasked: all but the archived ones."""
    return [run for run in runs if not run.archived]


def finished_run(nothing: str) -> Run | None:
    """Draw the filters and the choice of a finished run, and return the chosen one; where none has finished, the page says what
    is `nothing` yet."""
    finished = [run for run in session.runs() if run.state is State.DONE]
    if not finished:
        nothing_yet(f"{nothing} No run has finished yet.")
        return None
    shown = filtered(finished, keep=[session.run_id() or ""])
    return pick(shown) if shown else None


def filtered(runs: Sequence[Run], keep: Collection[str] = ()) -> list[Run]:
    """Draw the filters that make a difference among `runs`, and return the runs that pass; those of the ids `keep` always do."""
    tags, starred, archived = labels.tags_of(runs), any(run.starred for run in runs), any(run.archived for run in runs)
    if not (tags or starred or archived):
        return list(runs)
    with st.container(horizontal=True, vertical_alignment="bottom", key="run_filters"):
        about = "Show only runs that have all of these tags."
        wanted = address.multiselect("Tags", tags, f"{ONLY}.tags", about) if tags else []
        only_starred = starred and address.toggle("Starred only", f"{ONLY}.starred", "Leave out runs without a star.")
        all_of_them = archived and address.toggle("Archived, too", f"{ONLY}.archived", "Show archived runs among the others.")
    passing = [
        run
        for run in runs
        if run.id in keep
        or (set(wanted) <= set(run.tags) and (run.starred or not only_starred) and (all_of_them or not run.archived))
    ]
    return _told_where_none(passing)


def by_group_and_day(runs: Sequence[Run], keep: Collection[str] = ()) -> list[Run]:
    """Draw a choice of the group, where there are any, and of the days on which `runs` were made, where these are several, and
    return the runs that pass, and those of the ids `keep`."""
    days = {run.id: datetime.fromtimestamp(run.created).date() for run in runs}
    with st.container(horizontal=True, vertical_alignment="bottom", key="group_and_day"):
        group = _group()
        several = len(set(days.values())) > 1
        about = "Show only runs that were made on these days, the last one included; on any day where none is chosen."
        first, last = address.dates("Made", f"{ONLY}.from", f"{ONLY}.until", about) if several else (None, None)
    among = group.runs.keys() if group else days.keys()
    passing = [
        run for run in runs if run.id in keep or (run.id in among and (first or date.min) <= days[run.id] <= (last or date.max))
    ]
    return _told_where_none(passing) if runs else []


def _told_where_none(passing: list[Run]) -> list[Run]:
    if not passing:
        st.caption("No run passes these filters.")
    return passing


def _group() -> StoredGroup | None:
    """Draw a choice of one of the groups, and return it; None for all runs."""
    every = {each.id: each for each in stored_groups.listed()}
    if not every:
        return None
    asked = st.query_params.get(session.GROUP_PARAMETER)
    if asked and asked not in every:
        formatting.say_wrong(str(RunError("The address of this page names a group that is not here.", SEE, received=asked)))
    st.session_state["filter_group"] = asked if asked in every else None
    chosen = st.selectbox(
        "Group",
        list(every),
        index=None,
        key="filter_group",
        format_func=lambda group_id: stored_groups.label(every[group_id]),
        placeholder="All runs",
        on_change=_keep_group,
        help="Show only the runs of a group. While none is ticked, all of them are compared.",
    )
    return every[chosen] if chosen else None


def _keep_group() -> None:
    st.query_params.pop(session.GROUP_PARAMETER, None)
    if chosen := st.session_state["filter_group"]:
        st.query_params[session.GROUP_PARAMETER] = chosen
