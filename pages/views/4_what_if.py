"""What if: a question about several settings at once, asked as a group of runs."""

import streamlit as st

from tl_core.ui import formatting, frame, group_draft, session, stored_groups
from tl_core.ui.group_panel import group_panel
from tl_core.ui.group_plan import plan_box
from tl_core.ui.search import search_panel
from tl_core.ui.steps import PageInfo


def summary() -> str:
    """Return the name of the group that is looked at."""
    found = stored_groups.chosen()
    return found.group.name if found else ""


PAGE = PageInfo(4, "What if", ":material/counter_4:", "What changes with the settings?", summary)


def draw() -> None:
    """Draw the page."""
    frame.heading(PAGE)
    if problem := session.complaint():
        formatting.say_wrong(problem)
    recipe = session.recipe()
    search_panel(recipe)
    choice, evidence = st.columns([1, 2], gap="large")
    with choice:
        group_draft.builder(recipe)
    with evidence:
        with st.container(border=True, key="group_plan"):
            plan_box()
        group_panel()


if __name__ == "__main__":
    draw()
