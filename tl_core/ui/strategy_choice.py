"""The choice of a strategy: its kind, and which one of that."""

from dataclasses import replace

import streamlit as st

from tl_core import strategies
from tl_core.errors import SettingError
from tl_core.recipe import ONE_BLOCK, Recipe
from tl_core.ui import formatting, session

ABOUT_KINDS = "How much of the network is retrained, from the cheapest to the most expensive."
ABOUT = "A strategy says which blocks of the network train, in which phase, and how fast."


def strategy_choice(recipe: Recipe) -> None:
    """Draw the kinds of strategies, and those of the chosen one's kind; what does not fit is grey, with the reason."""
    offered, families = strategies.strategies.parts(), list(strategies.Family)
    present = families.index(recipe.strategy.family)
    family = st.selectbox(
        "Kind of strategy", families, index=present, key="strategy_family", on_change=_choose_kind, help=ABOUT_KINDS
    )
    names = [name for name, part in offered.items() if part.family == family]
    st.session_state["strategy_name"] = recipe.strategy.name if recipe.strategy.name in names else None
    unfit = {name: why for name in names if (why := _why_not(recipe, offered[name]))}
    titles = {name: f":gray[{offered[name].title}]" if name in unfit else offered[name].title for name in names}
    about = [formatting.plain(unfit[name]) if name in unfit else offered[name].summary() for name in names]
    st.radio("Strategy", names, format_func=titles.get, captions=about, key="strategy_name", on_change=_choose, help=ABOUT)


def _why_not(recipe: Recipe, part: type[strategies.Strategy]) -> str:
    """Return why a strategy makes no sense for the network and the task, in a sentence; nothing where it does."""
    try:
        replace(recipe, strategy=part()).phases(ONE_BLOCK, 1)
    except SettingError as error:
        return error.what
    return ""


def _choose_kind() -> None:
    """Make the first strategy of the kind picked in the list the draft's."""
    parts = strategies.strategies.parts()
    session.change({"strategy": next(name for name in parts if parts[name].family == st.session_state["strategy_family"])})


def _choose() -> None:
    """Make the strategy picked in the list the draft's."""
    if st.session_state["strategy_name"]:
        session.change({"strategy": st.session_state["strategy_name"]})
