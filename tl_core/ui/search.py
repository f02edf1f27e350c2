"""A search within a time: one number, one button, and what it has found as it grows."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.groups import statements
from tl_core.recipe import Recipe
from tl_core.runner import search_words
from tl_core.runner.search_result import SearchResult
from tl_core.runs.states import State
from tl_core.studies.search import MOST_MINUTES, Search
from tl_core.ui import formatting, session, steps
from tl_core.ui.study_panel import StudyPanel

(MINUTES,) = Search.model_fields.values()
LEAST_MINUTES = 0.1
ABOUT = (
    "Computes heads on the network of the recipe, so that there is soon an answer; ranks the pretrained networks on this "
    "machine, computes a linear probe on those that cannot be told from the best, and fine-tunes the best of them in a few "
    "ways, by successive halving. Validation examples alone choose; what would not fit into the time is not started, and is "
    "told. It goes on when you close the browser, and its runs are runs like others."
)
CHOOSES = (
    "Of the validation examples, which choose, with its 95 % interval. The best of several looks better on the examples that "
    "chose it than it is; its test does not."
)


def search_panel(recipe: Recipe) -> None:
    """Draw the panel: how long it may take, its button, and what the last search for these data has found."""
    with st.container(border=True, key="search"):
        st.subheader(Search.title, help=ABOUT)
        minutes = st.number_input(
            MINUTES.title or "",
            min_value=LEAST_MINUTES,
            max_value=float(MOST_MINUTES),
            value=MINUTES.default,
            step=1.0,
            format="%g",
            key="search_minutes",
            help=MINUTES.description,
            width=160,
        )
        StudyPanel(Search(minutes=minutes), ABOUT, "Search", "Search again", "search", _show).draw(recipe)


def _show(found: SearchResult) -> None:
    for number, sentence in enumerate(search_words.sentences(found)):
        text = formatting.plain(sentence)
        st.markdown(f"**{text}**") if number == 0 and found.best else st.caption(text)
    if rows := list(_rows(found)):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            placeholder="",
            column_config={
                "Validation": st.column_config.TextColumn(help=CHOOSES),
                "Seconds": st.column_config.NumberColumn(format="%.0f", help="What a run took, or is estimated to take."),
                "Why": st.column_config.TextColumn(width=330),
                "Run": st.column_config.LinkColumn(display_text="Open", help="All of this run, in another tab."),
            },
            alt="What the search has tried, and what it has not",
        )
    _further(found)


def _rows(found: SearchResult) -> Iterator[dict[str, object]]:
    """Yield a row for each run, the best first and those that are not done last, and then for what was not tried."""
    for each in sorted(found.tried, key=lambda each: (each.run_id != found.best, each.validation is None)):
        yield {
            "Network": each.network,
            "Strategy": each.strategy,
            "Validation": search_words.told(each.validation) if each.validation else None,
            "State": statements.left_after(each.left_at).capitalize() if each.left_at else formatting.state_named(each.state),
            "Seconds": each.seconds,
            "Why": search_words.how_far(each),
            "Run": f"{(steps.RESULT if each.state is State.DONE else steps.TRAIN).path}?{session.RUN_PARAMETER}={each.run_id}",
        }
    for left in found.not_tried:
        names = {"Network": left.network, "Strategy": left.strategy, "State": "Not tried"}
        yield {**names, "Seconds": left.seconds, "Why": search_words.why_not(left)}


def _further(found: SearchResult) -> None:
    """Draw what can be done with the best: see its result, hold it against the others, take its settings."""
    known = {run.id: run for run in session.runs()}
    best = known.get(found.best)
    if best is None or best.state is not State.DONE:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="search_best"):
        answer = {name: value for name, value in best.spec.dotted().items() if name.partition(".")[0] in ("backbone", "strategy")}
        about = "Make its network and its strategy those of the recipe."
        more: dict[str, Any] = {"on_click": session.change, "args": (answer,)}
        st.button("Use its settings", key="use_best", icon=":material/edit:", help=about, **more)
        own = session.url_parameters()
        to_result, done = own | {session.RUN_PARAMETER: best.id}, [each.run_id for each in found.tried if each.validation]
        st.page_link(steps.RESULT.script, label="See its result", icon=steps.RESULT.icon, query_params=to_result)
        if len(done) > 1:
            to_compare = own | {session.RUNS_PARAMETER: ",".join(done)}
            st.page_link(steps.COMPARE.script, label="Compare them", icon=steps.COMPARE.icon, query_params=to_compare)
