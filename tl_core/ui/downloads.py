"""Tables as files: numbers are apart there which a page shows in one column."""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

CSV, PARQUET = "csv", "parquet"
TYPES = {CSV: "text/csv", PARQUET: "application/vnd.apache.parquet"}
WRITERS: Mapping[str, Callable[[pd.DataFrame], bytes]] = {
    CSV: lambda table: table.to_csv(index=False).encode(),
    PARQUET: lambda table: bytes(table.to_parquet(index=False)),
}


def download(table: Callable[[], pd.DataFrame], name: str, label: str, about: str, ending: str = CSV) -> None:
    """Draw a button that gives a table as a file. The table is made when it is pressed.

    Args:
        table: Makes the table.
        name: The name of the file without its ending, also the key of the button.
        label: What is written on the button.
        about: What is in the file.
        ending: That of its name: which kind of file it is.
    """
    st.download_button(
        label,
        lambda: WRITERS[ending](table()),
        file_name=f"{name}.{ending}",
        mime=TYPES[ending],
        icon=":material/download:",
        help=about,
        on_click="ignore",
        key=f"download_{name}_{ending}",
    )
