"""Forms from declarations: a part's fields draw their own widgets, and every change goes into the draft at once."""

import json
import math
import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tl_core.registry import Part, Registry
from tl_core.ui import session, uploads

Change = Callable[[Mapping[str, Any]], None]
"""Takes changed settings, by their dotted names, into a draft."""


def part_form(kind: str, part: Part, *, without: tuple[str, ...] = (), change: Change = session.change) -> None:
    """Draw widgets for the settings of `part`. Those that few need stand behind "More", and those that are "hidden" have none.
    What is changed goes into the recipe's draft, or where `change` puts it."""
    own = type(part).__annotations__  # before those that all parts of the kind share
    known = type(part).model_fields
    names = sorted(known, key=lambda name: name not in own)
    fields = {name: known[name] for name in names if name not in without and not _extra(known[name]).get("hidden")}
    rare = {name: field for name, field in fields.items() if _is_rare(field)}
    for name in [name for name in fields if name not in rare]:
        setting(f"{kind}.{name}", fields[name], getattr(part, name), scope=part.name, change=change)
    if rare:
        with st.expander("More", key=f"more_{kind}_{part.name}"):
            for name, field in rare.items():
                setting(f"{kind}.{name}", field, getattr(part, name), scope=part.name, change=change)


def part_choice(registry: Registry[Any], present: Part, label: str, about: str) -> None:
    """Draw a list of the parts of a kind that takes the chosen one into the draft."""
    titles = {name: part.title for name, part in registry.parts().items()}
    key = f"{registry.kind}_name"
    st.session_state[key] = present.name
    common: dict[str, Any] = {"key": key, "help": about, "on_change": _changed, "args": (key, registry.kind, session.change)}
    st.selectbox(label, list(titles), format_func=titles.__getitem__, **common)


def run_setting(model: type[BaseModel], name: str, value: Any) -> None:
    """Draw a widget for one setting of the run itself, such as its image size."""
    setting(name, model.model_fields[name], value, scope="run")


def setting(dotted: str, field: FieldInfo, value: Any, *, scope: str, empty: str = "", change: Change = session.change) -> None:
    """Draw one widget for one setting. The draft is the truth: the widget is set from it at each run.

    Args:
        dotted: The setting's dotted name.
        field: Its type, limits, title and description.
        value: The present value, which the widget shows.
        scope: What the widget's key begins with: a part's name, or "run".
        empty: What an empty box means, where the field does not say it.
        change: Takes what was changed; by default into the recipe's draft.
    """
    if _extra(field).get("widget") == "upload":
        uploads.upload_setting(dotted, value, change)
        return
    key = f"{scope}_{dotted.replace('.', '_')}"
    kind, optional = kind_of(field.annotation)
    st.session_state[key] = str(value) if isinstance(value, Path) else value
    label, about = field.title or dotted, field.description
    common: dict[str, Any] = {"key": key, "help": about, "on_change": _changed, "args": (key, dotted, change)}
    if kind is bool:
        st.toggle(label, **common)
    elif get_origin(kind) is Literal:
        st.selectbox(label, get_args(kind), **common)
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        st.selectbox(label, list(kind), **common)
    elif kind in {int, float}:
        _number(label, field, kind, _extra(field).get("empty", empty or "automatic") if optional else None, common)
    else:
        st.session_state[key] = json.dumps(value) if value and isinstance(value, tuple) else str(value or "")
        empty = _extra(field).get("empty", empty)
        st.text_input(label, placeholder="Path on the machine that runs the app" if kind is Path else empty, **common)


def _number(label: str, field: FieldInfo, kind: type, empty: str | None, common: dict[str, Any]) -> None:
    low = next((bound for item in field.metadata if (bound := getattr(item, "ge", getattr(item, "gt", None))) is not None), None)
    high = next((bound for item in field.metadata if (bound := getattr(item, "le", getattr(item, "lt", None))) is not None), None)
    limits: dict[str, Any] = {"min_value": None if low is None else kind(low), "max_value": None if high is None else kind(high)}
    shape: dict[str, Any] = {"step": 1} if kind is int else {"step": _step(st.session_state[common["key"]]), "format": "%g"}
    unset: dict[str, Any] = {} if empty is None else {"value": None, "placeholder": empty}
    st.number_input(label, **limits, **shape, **unset, **common)


def _step(value: float | None) -> float:
    """Return what one press on plus or minus changes of `value`: its leading digit, and from a power of ten the next one, so that
    0.0003 goes to 0.0002 and 0.0001, and never to 0."""
    if not value:
        return 0.001
    power = math.floor(math.log10(abs(value)) + 1e-9)
    return 10.0 ** (power - 1 if math.isclose(abs(value), 10.0**power) else power)


def _changed(key: str, dotted: str, change: Change) -> None:
    value = st.session_state[key]
    change({dotted: None if value in {"", None} else value})


def _is_rare(field: FieldInfo) -> bool:
    return bool(_extra(field).get("more"))


def _extra(field: FieldInfo) -> dict[str, Any]:
    """Return what a field says of its widget: "more" where few need it, "hidden" where it has none, "widget" where it has one of
    its own, "empty" for what an empty box means."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def labels(kind: str, part: Part) -> dict[str, str]:
    """Return what the form calls each setting of `part`, by its dotted name: messages name settings as the command line does."""
    return {f"{kind}.{name}": field.title or name for name, field in type(part).model_fields.items()}


def is_unfilled(part: Part) -> bool:
    """Return whether a path is still to be given."""
    fields = type(part).model_fields
    needed = {name: field for name, field in fields.items() if not _is_rare(field)}
    return any(kind_of(field.annotation)[0] is Path and getattr(part, name) is None for name, field in needed.items())


def kind_of(annotation: Any) -> tuple[Any, bool]:
    """Return the type of a field without `None` and without annotations, and whether it may be None."""
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [kind_of(argument)[0] for argument in get_args(annotation) if argument is not type(None)]
        return inner[0], len(inner) < len(get_args(annotation))
    if hasattr(annotation, "__metadata__"):
        return kind_of(get_args(annotation)[0])
    return annotation, False
