"""The sources of data as cards: the chosen one with its settings, then the others in the order in which they are listed."""

import streamlit as st

from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.recipe import Recipe
from tl_core.registry import Part
from tl_core.spec import RunSpec
from tl_core.tasks import tasks
from tl_core.ui import forms, previews, session

ABOUT_TASKS = (
    "What is asked of each example: which class it is of, which of several labels it has, or a number. Numbers, and labels of "
    "which an example has several, are read from a table."
)


def sources(recipe: Recipe) -> None:
    """Draw the choice of a task, and all sources; a press on one makes it the draft's."""
    forms.part_choice(tasks, recipe.task, "Task", ABOUT_TASKS)
    chosen = type(recipe.dataset)
    with st.container(border=True, key=f"source_{chosen.name}"):
        st.markdown(f"**{chosen.title}**")
        _looks(chosen)
        forms.part_form("dataset", recipe.dataset)
        forms.run_setting(RunSpec, "seed", recipe.seed)
    others = [source for source in datasets.datasets.parts().values() if source is not chosen]
    rare = [source for source in others if source.listing_order > Part.listing_order]
    st.markdown("##### Other sources")
    for source in others:
        if source not in rare:
            _card(source)
    if rare:
        with st.expander("More sources", icon=":material/folder_open:", key="more_sources"):
            for source in rare:
                _card(source, border=False)


def _card(source: type[Dataset], *, border: bool = True) -> None:
    with st.container(border=border, key=f"source_{source.name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{source.title}**", width="content")
            about, change = f"Use {source.title}.", ({"dataset": source.name},)
            st.button("Choose", key=f"choose_{source.name}", on_click=session.change, args=change, help=about)
        _looks(source)


def _looks(source: type[Dataset]) -> None:
    st.caption(source.summary())
    strip = previews.strip(source.name)
    if strip is not None:
        st.image(strip, width="stretch", alt=f"Sample images of {source.title}")
