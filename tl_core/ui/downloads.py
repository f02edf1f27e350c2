"""Tables as files: numbers are apart there which a page shows in one column."""

from collections.abc import Callable

import pandas as pd
import streamlit as st


def download(table: Callable[[], pd.DataFrame], name: str, label: str, about: str) -> None:
    """Draw a button that gives a table as the CSV file `name`.csv. The table is made when it is pressed.

    Args:
        table: Makes the table.
        name: The name of the file without its ending, also the key of the button.
        label: What is written on the button.
        about: What is in the file.
    """
    st.download_button(
        label,
        lambda: table().to_csv(index=False).encode(),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        help=about,
        on_click="ignore",
        key=f"download_{name}",
    )
