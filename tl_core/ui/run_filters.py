"""Which of many runs a list shows: by tags, by star, and whether archived ones are among them."""

from collections.abc import Collection, Sequence

import streamlit as st

from tl_core.runs import labels
from tl_core.runs.store import Run


def listed(runs: Sequence[Run]) -> list[Run]:
    """Return those of `runs` that a list shows unasked: all but the archived ones."""
    return [run for run in runs if not run.archived]


def filtered(runs: Sequence[Run], keep: Collection[str] = ()) -> list[Run]:
    """Draw the filters that make a difference among `runs`, and return the runs that pass; those of the ids `keep` always do."""
    tags, starred, archived = labels.tags_of(runs), any(run.starred for run in runs), any(run.archived for run in runs)
    if not (tags or starred or archived):
        return list(runs)
    with st.container(horizontal=True, vertical_alignment="bottom", key="run_filters"):
        about = "Show only runs that have all of these tags."
        wanted = st.multiselect("Tags", tags, key="filter_tags", placeholder="All", help=about) if tags else []
        only_starred = starred and st.toggle("Starred only", key="filter_starred", help="Leave out runs without a star.")
        all_of_them = archived and st.toggle("Archived, too", key="filter_archived", help="Show archived runs among the others.")
    passing = [
        run
        for run in runs
        if run.id in keep
        or (set(wanted) <= set(run.tags) and (run.starred or not only_starred) and (all_of_them or not run.archived))
    ]
    if not passing:
        st.caption("No run passes these filters.")
    return passing
