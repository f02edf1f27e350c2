"""Running a stored run again with one setting changed."""

from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

import streamlit as st

from tl_core.errors import SettingError
from tl_core.recipe import Recipe
from tl_core.registry import registry, setting_title
from tl_core.runs.store import Run
from tl_core.spec import PART_KINDS, RunSpec
from tl_core.ui import formatting, forms, recipe_bar, session

FIRST = "seed"
"""What is offered to be changed at first."""


def again(run_id: str) -> None:
    """Draw a closed form below the run. It is apart from what polls, so that nobody is disturbed in typing."""
    run = session.run(run_id)
    with st.expander("Run again with one setting changed", icon=":material/edit:", key=f"again_{run_id}"):
        st.fragment(_form)(run)


def _form(run: Run) -> None:
    with formatting.sentence_for_mistakes():
        recipe = Recipe.of(run.spec)
        values = recipe.spec().dotted()
        names = list(values)
        name = st.selectbox(
            "Setting",
            names,
            index=names.index(FIRST),
            key=f"again_setting_{run.id}",
            format_func=lambda name: f"{setting_title(run.spec, name)} ({name})",
            help="Every setting of this run, and its name on the command line.",
        )
        value = _value(run.id, recipe, name, values[name])
        if st.button("Start with this change", key=f"again_start_{run.id}", icon=":material/play_arrow:"):
            if value == values[name]:
                raise SettingError("The setting has this value already.", "Give another one, or press Run again.", received=value)
            recipe_bar.start(Recipe.of(run.spec.with_settings({name: value})))
            st.rerun()


def _value(run_id: str, recipe: Recipe, name: str, present: Any) -> Any:
    """Draw a widget for the new value, at the present one, and return what was chosen: a list where the values can be listed,
    else a line of text."""
    key, about = f"again_value_{run_id}_{name}", "The value to use instead."
    listed = choices(recipe, name)
    if listed:
        return st.selectbox("New value", listed, index=listed.index(present), key=key, help=about)
    text = "" if present is None else str(present)
    given = st.text_input("New value", text, key=key, help=about, placeholder="automatic")
    return present if given == text else given or None


def choices(recipe: Recipe, name: str) -> list[Any]:
    """Return the values that a setting may take, where they can be listed; else nothing."""
    if name in PART_KINDS:
        return list(registry(name).parts())
    kind, _ = forms.kind_of(_field(recipe, name).annotation)
    if kind is bool:
        return [True, False]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [each.value for each in kind]
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def _field(recipe: Recipe, name: str) -> Any:
    kind, _, setting = name.rpartition(".")
    owner = type(getattr(recipe, kind)) if kind else RunSpec
    return owner.model_fields[setting]
