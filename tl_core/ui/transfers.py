"""What the Compare page says of transfers whose twin from scratch is among the chosen runs."""

import streamlit as st

from tl_core.report import sentences
from tl_core.runs.findings import Findings
from tl_core.ui import formatting


def transfers(found: Findings) -> None:
    """Draw a table of the transfers among the compared runs, each beside its twin; nothing where there is no such pair."""
    rows = sentences.beside_twins(found, formatting.names_apart)
    if not rows:
        return
    st.markdown(f"**{sentences.TWINS_TITLE}**")
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={name: st.column_config.TextColumn(help=about) for name, about in sentences.ABOUT.items()},
        alt="Transfers against their twins from scratch",
    )
