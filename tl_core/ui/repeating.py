"""A finished run trained again with the same settings: the button, and what was found of one that repeats another."""

import streamlit as st

from tl_core.recipe import Recipe
from tl_core.runs import repetition
from tl_core.runs.store import Run
from tl_core.ui import formatting, recipe_bar, session, steps

ABOUT = "Train it once more with its own settings and seed, and hear whether the number is the same, and if not what differs."


def again(run: Run) -> None:
    """Draw the button that starts the run again; it leads to the page Train."""
    if st.button("Run it again", key="run_it_again", icon=":material/replay:", help=ABOUT):
        with formatting.sentence_for_mistakes():
            recipe = Recipe.of(repetition.repeatable(session.store(), run.id))
            started = recipe_bar.start(recipe, repeats=run.id)
            st.switch_page(steps.TRAIN.script, query_params={session.RUN_PARAMETER: started})


def verdict(run: Run) -> None:
    """Say of a run that repeats another one whether it came to the same."""
    if run.repeats is None:
        return
    is_known = any(each.id == run.repeats for each in session.runs())  # else it was deleted
    # Both runs' predictions are read for it: once, and not whenever something is clicked.
    found = session.newest("repetition", run, is_known, lambda: repetition.repetition(session.store(), run))
    if found is None:
        return
    first, *others = map(formatting.plain, found.told())
    said = "  \n".join([f"**{first}**", *others])
    if found.same_number:
        st.success(said, icon=":material/check_circle:")
    else:
        st.warning(said, icon=":material/difference:")
