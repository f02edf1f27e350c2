"""What the Compare page says of runs that differ in labels a class."""

import streamlit as st

from tl_core.report import figures, sentences
from tl_core.runs.findings import Findings
from tl_core.ui import formatting


def by_labels(found: Findings) -> None:
    """Draw a metric over the labels a class of the compared runs, and say what the next labels would bring, and what a transfer
    saves; nothing where no runs differ in them."""
    if found.curves:
        formatting.draw(figures.by_labels(found, formatting.names_apart), "by_labels")
    for text in sentences.by_labels(found, formatting.names_apart):
        st.markdown(f"- {formatting.plain(text)}")
