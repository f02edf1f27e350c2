"""The networks to choose from: a list of those that can be had at once, and a menu of the others."""

import streamlit as st

from tl_core.analysis.statements import count
from tl_core.backbones import CatalogueEntry
from tl_core.recipe import Recipe
from tl_core.ui import session

Offered = list[tuple[str, CatalogueEntry]]
"""Networks, each with its source's name."""
MOST = 12
"""Up to so many networks are all in the list."""
CHOSEN, OTHER = "network", "other_network"
ABOUT = "The pretrained network that turns an example into the features for the new classifier."


def backbone_list(recipe: Recipe, offered: Offered) -> None:
    """Draw the list, and below it the menu of those whose weights are not on this machine where the list would be long."""
    present = recipe.backbone.listing()
    near = [pair for pair in offered if len(offered) <= MOST or _is_near(pair[1], present)]
    st.session_state[CHOSEN], st.session_state[OTHER] = present.title, None
    st.radio(
        "Network",
        [entry.title for _, entry in near],
        captions=[_about(entry) for _, entry in near],
        key=CHOSEN,
        on_change=_choose,
        args=(offered, CHOSEN),
        help=ABOUT,
    )
    others = {entry.title: entry for name, entry in offered if (name, entry) not in near}
    if others:
        st.selectbox(
            "More networks",
            list(others),
            index=None,
            format_func=lambda title: _described(others[title]),
            placeholder=f"{len(others)} others",
            key=OTHER,
            on_change=_choose,
            args=(offered, OTHER),
            help="Their weights are not on this machine: they come from a file of yours, or from the network if you ask for it.",
        )


def _is_near(entry: CatalogueEntry, present: CatalogueEntry) -> bool:
    return entry.here or not (entry.pretrained and entry.parameters) or entry.title == present.title


def _about(entry: CatalogueEntry) -> str:
    if not entry.parameters:
        return entry.weights
    return f"{count(entry.parameters)} parameters, {_state(entry)}"


def _state(entry: CatalogueEntry) -> str:
    if not entry.pretrained:
        return "never pretrained"
    return "weights on this machine" if entry.here else "weights not on this machine"


def _described(entry: CatalogueEntry) -> str:
    published = f", {100 * entry.accuracy:.1f} % on ImageNet" if entry.accuracy else ""
    return f"{entry.title}: {count(entry.parameters)} parameters{published}"


def _choose(offered: Offered, key: str) -> None:
    title = st.session_state[key]
    name, entry = next(((name, entry) for name, entry in offered if entry.title == title), ("", None))
    if entry is not None:
        session.change({"backbone": name} | {f"backbone.{field}": value for field, value in entry.settings.items()})
