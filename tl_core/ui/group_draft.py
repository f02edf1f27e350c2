"""The group that a session is about to ask: what varies, and over which values."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from tl_core.backbones import backbones
from tl_core.errors import TransferError
from tl_core.groups.group import Group, key, shown, values_in
from tl_core.recipe import Recipe
from tl_core.registry import registry, setting_title
from tl_core.spec import DISPLAY_NAME, PART_KINDS, PartSpec, to_text
from tl_core.ui import formatting, rerun, session
from tl_core.ui.ready_groups import READY, ReadyGroup, networks

DRAFT, AXES, NAME, FILE, BUDGET = "group_draft", "group_axes", "group_name", "group_file", "group_budget"
HALVING = "group_halving"
USUAL = ("strategy", "backbone", "dataset.labels_per_class", "seed", "image_size")
"""What most people vary, first in the list."""
UNASKED = ("executor", "dataset.left_out", f"dataset.{DISPLAY_NAME}")
"""What no question is about."""


def group(recipe: Recipe) -> Group:
    """Return the group of this session's draft. What has one value is the same in all runs. Raises `SettingError`."""
    held = _draft(recipe)
    axes = {name: values for name, values in held["axes"].items() if len(values) > 1}
    single = {name: values[0] for name, values in held["axes"].items() if len(values) == 1}
    base = _of_recipe(recipe, held["axes"]) if held["with_recipe"] else {}
    asked = {"name": held["name"], "base": base | held["base"] | single, "axes": axes}
    return Group.parse(asked | {"budget": held.get("budget") or None, "successive_halving": held.get("halving", False)})


def builder(recipe: Recipe) -> None:
    """Draw the ready groups and, below them, what varies in the draft, with a widget for the values of each axis."""
    held = _draft(recipe)
    with st.container(horizontal=True, key="ready_groups"):
        for ready in READY:
            _ready_button(ready, recipe)
    st.session_state[NAME] = held["name"]
    st.text_input("Question", key=NAME, on_change=_rename, help="What this group of runs is called.", max_chars=80)
    variants = {name: each for each in reversed(list(_variants(recipe, held["axes"]))) for name in each.draft().dotted()}
    names = [*USUAL, *(name for name in variants if name not in USUAL and not name.startswith(UNASKED))]
    st.session_state[AXES] = list(held["axes"])
    st.multiselect(
        "What varies",
        dict.fromkeys([*names, *held["axes"]]),
        key=AXES,
        format_func=lambda name: _title(variants, name),
        on_change=_choose_axes,
        args=(recipe, variants),
        help="Any setting. The first one is the horizontal axis of the chart, the second one its lines.",
    )
    for name, values in held["axes"].items():
        _axis(recipe, variants, name, values)
    st.session_state[BUDGET] = held.get("budget", "")
    about = (
        "Start no more runs than fit into this time, such as 10m: the cheap ones first, and then those beside the best so far."
    )
    st.text_input("Time budget", key=BUDGET, on_change=_limit, placeholder="none", help=about)
    st.session_state[HALVING] = held.get("halving", False)
    about = (
        "All runs begin with few epochs, and the best third of the settings by their validation examples goes on, step by step. "
        "What was left is told, and is not compared with what went on."
    )
    st.checkbox("Successive halving", key=HALVING, on_change=_halve, help=about)
    own = "".join(f"{_title(variants, name)} {to_text(value)}, " for name, value in held["base"].items())
    others = "all else is as on the pages before." if held["with_recipe"] else "all else has its default."
    st.caption(formatting.plain(f"In all runs: {own}{others}"))
    with st.expander("From a file", key="group_from_file"):
        about = "A group that was downloaded here, or written by hand."
        st.file_uploader("Group file", type=["yaml", "yml"], key=FILE, on_change=_load, help=about, max_upload_size=1)


def _draft(recipe: Recipe) -> dict[str, Any]:
    """Return the draft: a name, settings, axes, and whether the settings of the recipe are in it, too."""
    if DRAFT not in st.session_state:
        _take(READY[0], recipe)
    held: dict[str, Any] = st.session_state[DRAFT]
    return held


def _take(ready: ReadyGroup, recipe: Recipe) -> None:
    axes = {name: list(values) for name, values in ready.axes(recipe).items()}
    st.session_state[DRAFT] = {"name": ready.name, "base": ready.base(recipe), "axes": axes, "with_recipe": True}


def _ready_button(ready: ReadyGroup, recipe: Recipe) -> None:
    varies = any(len(values) > 1 for name, values in ready.axes(recipe).items() if name in PART_KINDS)
    about = ready.about if varies else f"{ready.about} There is only one here; the page Backbone says how to bring others."
    st.button(ready.name, key=f"ready_{ready.name}", help=about, disabled=not varies, on_click=_take, args=(ready, recipe))


def _of_recipe(recipe: Recipe, axes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the draft that no axis changes."""
    return {name: value for name, value in recipe.overrides().items() if name not in axes and name.partition(".")[0] not in axes}


def _variants(recipe: Recipe, axes: Mapping[str, Sequence[Any]]) -> Iterator[Recipe]:
    """Yield the recipe, and it with each part of the axes: together they have all settings that can vary."""
    yield recipe
    for kind in (kind for kind in PART_KINDS if kind in axes):
        for value in axes[kind]:
            with suppress(TransferError):
                yield replace(recipe, **{kind: registry(kind).build(PartSpec.model_validate(value))})


def _title(variants: Mapping[str, Recipe], name: str) -> str:
    if name not in variants:
        return name
    title = setting_title(variants[name].draft(), name)
    return title if name in USUAL else f"{title} ({name})"


def _axis(recipe: Recipe, variants: Mapping[str, Recipe], name: str, values: Sequence[Any]) -> None:
    """Draw the widget of an axis: a list where its values can be listed, else a line of text."""
    widget = f"axis_{name}"
    offered = {key(value): value for value in (*_offered(recipe, variants, name), *values)} if _is_listed(variants, name) else {}
    common: dict[str, Any] = {"key": widget, "on_change": _change, "args": (name, offered)}
    if offered:
        st.session_state[widget] = list(map(key, values))
        about = "Each is a value of this axis."
        st.multiselect(_title(variants, name), offered, format_func=lambda of: titled(name, offered[of]), help=about, **common)
        return
    st.session_state[widget] = ", ".join(map(to_text, values))
    st.text_input(_title(variants, name), help="Values, separated by commas; null for none.", **common)


def _is_listed(variants: Mapping[str, Recipe], name: str) -> bool:
    return name in variants and bool(rerun.choices(variants[name], name))


def _offered(recipe: Recipe, variants: Mapping[str, Recipe], name: str) -> Sequence[Any]:
    """Return the values that can be chosen from. The part of the recipe comes with its settings, where it has any."""
    if name == "backbone":
        return networks(recipe)
    if name not in PART_KINDS:
        return rerun.choices(variants[name], name)
    own = {each.partition(".")[2]: value for each, value in recipe.overrides().items() if each.startswith(f"{name}.")}
    present = getattr(recipe, name).name
    return [{"name": each, **own} if own and each == present else each for each in registry(name).parts()]


def titled(name: str, value: Any) -> str:
    """Return a value of an axis in the words of the pages."""
    with suppress(TransferError):
        if name == "backbone":
            return backbones.build(PartSpec.model_validate(value)).listing().title
        if name in PART_KINDS:
            part = PartSpec.model_validate(value)
            return shown({"name": registry(name).part(part.name).title, **part.settings})
    return shown(value)


def _rename() -> None:
    st.session_state[DRAFT]["name"] = st.session_state[NAME]


def _limit() -> None:
    st.session_state[DRAFT]["budget"] = st.session_state[BUDGET]


def _halve() -> None:
    st.session_state[DRAFT]["halving"] = st.session_state[HALVING]


def _choose_axes(recipe: Recipe, variants: Mapping[str, Recipe]) -> None:
    """Take what varies; a new axis begins with the value that the recipe has."""
    held = st.session_state[DRAFT]["axes"]
    fresh = {name: [variants[name].draft().dotted()[name]] for name in st.session_state[AXES] if name not in held}
    st.session_state[DRAFT]["axes"] = {name: held.get(name, fresh.get(name)) for name in st.session_state[AXES]}


def _change(name: str, offered: Mapping[str, Any]) -> None:
    given = st.session_state[f"axis_{name}"]
    st.session_state[DRAFT]["axes"][name] = [offered[each] for each in given] if offered else values_in(given)


def _load() -> None:
    given = st.session_state[FILE]
    if given is not None:
        session.request(partial(_take_file, given.getvalue()), asker=__name__)


def _take_file(text: bytes, _store: object) -> None:
    loaded = Group.from_yaml(text)
    axes = {name: list(values) for name, values in loaded.axes.items()}
    budget = "" if loaded.budget is None else f"{loaded.budget:g}s"
    draft = {"name": loaded.name, "base": dict(loaded.base), "axes": axes, "budget": budget, "with_recipe": False}
    draft["halving"] = loaded.successive_halving
    st.session_state[DRAFT] = draft
