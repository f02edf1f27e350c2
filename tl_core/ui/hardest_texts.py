"""The hardest test texts, where images would be shown as pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.result import Predictions


def hardest_texts(said: Predictions, about: str, columns: Mapping[str, Sequence[Any]], **formats: str) -> None:
    """Draw how the hardest texts begin, the hardest first.

    Args:
        said: What the model said of the test texts.
        about: What is hard about them.
        columns: More columns of the table, as long as there are texts.
        formats: The format of a column of numbers, by its name.
    """
    st.caption(about)
    shown = {name: st.column_config.NumberColumn(format=text) for name, text in formats.items()}
    st.dataframe(
        pd.DataFrame({"Text": said.hardest_texts, **columns}),
        hide_index=True,
        width="stretch",
        column_config={"Text": st.column_config.TextColumn(width="large"), **shown},
        alt="Hardest test texts",
    )
