"""What one downloads: tables, in which numbers are apart that a page shows in one column, and folders."""

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from tl_core.analysis.statements import size
from tl_core.runs import exported
from tl_core.runs.disk_use import bytes_of

LARGEST_ZIP = 500_000_000
"""Bytes of a folder that a page offers: while it is fetched it lies in the server's memory."""
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


def download_folder(place: Path, name: str, about: str, command: str) -> None:
    """Draw a button that gives the folder `place` as a zip, or the command for what is too much for a page.

    Args:
        place: The folder.
        name: The name of the file without its ending, also the key of the button.
        about: What is in the file.
        command: What writes the same on the server.
    """
    if (taken := bytes_of(place)) > LARGEST_ZIP:
        st.caption(f"It has {size(taken)}, which is too much for a page. On the server: `{command}`")
        return
    st.download_button(
        "Download as a zip",
        partial(zipped, place),
        file_name=f"{name}.zip",
        mime="application/zip",
        icon=":material/download:",
        help=about,
        on_click="ignore",
        key=f"download_{name}",
    )


def zipped(place: Path) -> bytes:
    """Return a folder as a zip, without what was found of it as an export. Weights cannot be made smaller."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(each for each in place.rglob("*") if each.is_file() and each.name != exported.PARITY):
            archive.write(file, file.relative_to(place))
    return made.getvalue()
