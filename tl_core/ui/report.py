"""What is on the page Compare as a file, which opens anywhere."""

import streamlit as st

from tl_core.report.page import View, page
from tl_core.runs.findings import Findings
from tl_core.ui import against_cost, compare_by, formatting, session


def report(found: Findings) -> None:
    """Draw a button that gives what is said and drawn of the compared runs as one file. It is made when it is pressed."""
    view = View(against_cost.chosen_cost(), st.session_state.get("curve", 0), session.run_id())
    reads = compare_by.reads(found.metric)
    st.download_button(
        "Download this as a report",
        lambda: page(found, formatting.names_apart, reads, view).encode(),
        file_name="comparison.html",
        mime="text/html",
        icon=":material/description:",
        help="One HTML file with the sentences, tables and charts of the compared runs. It needs no server and no network.",
        on_click="ignore",
        key="download_report",
    )
