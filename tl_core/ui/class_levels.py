"""The levels of folders that may be the classes, where images lie deeper than was looked for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

import pandas as pd
import streamlit as st

from tl_core.data.formats.class_levels import Level, NestedImagesError
from tl_core.errors import printable
from tl_core.ui import formatting, session

MOST_NAMED = 20


@contextmanager
def offered(labels: Mapping[str, str]) -> Iterator[None]:
    """Show a `NestedImagesError` as its sentence, with what each level would give and a button that takes it. `labels` are those
    of the form."""
    try:
        yield
    except NestedImagesError as nested:
        with formatting.sentence_for_mistakes(labels):
            raise
        _table(nested.levels)
        with st.container(horizontal=True, gap="small", key="class_levels"):
            for level in nested.levels:
                _button(level)


def _table(levels: Sequence[Level]) -> None:
    rows = [(level.number, len(level.counts), sum(level.counts.values()), _names(level)) for level in levels]
    table = pd.DataFrame(rows, columns=["Class level", "Classes", "Images", "Images of each class"])
    st.dataframe(table, hide_index=True, width="stretch", alt="What each class level would give")


def _names(level: Level) -> str:
    named = [f"{printable(name)} {count:,}" for name, count in islice(level.counts.items(), MOST_NAMED)]
    return ", ".join(named) + (", and others" if len(level.counts) > MOST_NAMED else "")


def _button(level: Level) -> None:
    st.button(
        f"Use level {level.number}: {level.classes} classes",
        key=f"class_level_{level.number}",
        icon=":material/folder_open:",
        on_click=session.change,
        args=({"dataset.class_level": level.number},),
        help="It can be changed again under More.",
    )
