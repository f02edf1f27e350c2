"""Widgets whose values the address of the page holds: whoever is given it sees the same."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from tl_core.ui import session

ONLY, COLUMN = "only", "column"
"""Filters of a list are parameters such as `only.tags`; the columns of a table that are shown."""
OF_PAGES = {
    *(session.RUNS_PARAMETER, session.BY_PARAMETER, session.GROUP_PARAMETER, session.AGAINST_PARAMETER, session.COST_PARAMETER),
    *(ONLY, COLUMN),
}
"""What is compared (a metric's settings are parameters such as `by.k`), against what, which group, and what a list shows."""


def keep_address() -> None:
    """Write the draft into the page's address, so that a reload, or another browser, finds it as it is."""
    here = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: [text] for name, text in session.url_parameters().items()}
    wanted |= {name: given for name, given in here.items() if name.partition(".")[0] in OF_PAGES and any(given)}
    if here != wanted:
        st.query_params.from_dict(wanted)


def multiselect(label: str, options: Sequence[str], parameter: str, about: str) -> list[str]:
    """Draw a list to choose several `options` from, none standing for all, and return those that are chosen. What the address
    names under `parameter` and is not there is passed over."""
    key = key_of(parameter)
    st.session_state[key] = [each for each in st.query_params.get_all(parameter) if each in options]
    return st.multiselect(label, options, key=key, placeholder="All", help=about, on_change=_keep_choice, args=(parameter,))


def toggle(label: str, parameter: str, about: str) -> bool:
    """Draw a switch, which is on where the address names `parameter`, and return where it stands."""
    key = key_of(parameter)
    st.session_state[key] = parameter in st.query_params
    return st.toggle(label, key=key, help=about, on_change=_keep_switch, args=(parameter,))


def dates(label: str, first: str, last: str, about: str) -> tuple[date | None, date | None]:
    """Draw a choice of the days from one to another, and return both; the last is None where it is not chosen yet, and both where
    any day will do. The address holds them under `first` and `last`."""
    key = key_of(first)
    known = [day for day in map(_day, (first, last)) if day]
    st.session_state[key] = tuple(sorted(known))
    st.date_input(label, [], key=key, help=about, on_change=_keep_days, args=(first, last))
    return (known[0] if known else None), (known[-1] if len(known) > 1 else None)


def key_of(parameter: str) -> str:
    """Return the key of the widget that the address holds under `parameter`."""
    return f"filter_{parameter.rpartition('.')[2]}"


def _keep_choice(parameter: str) -> None:
    _keep(parameter, st.session_state[key_of(parameter)])


def _keep_switch(parameter: str) -> None:
    _keep(parameter, ["yes"] if st.session_state[key_of(parameter)] else [])


def _keep_days(first: str, last: str) -> None:
    days = [day.isoformat() for day in st.session_state[key_of(first)]]
    for parameter, kept in ((first, days[:1]), (last, days[1:])):
        _keep(parameter, kept)


def _keep(parameter: str, values: Sequence[str]) -> None:
    st.query_params.pop(parameter, None)
    if values:
        st.query_params[parameter] = values


def _day(parameter: str) -> date | None:
    """Return the day that the address names; None where it names none, or none that there is."""
    try:
        return date.fromisoformat(st.query_params.get(parameter, ""))
    except ValueError:
        return None
