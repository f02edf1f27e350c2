"""Transfer Lab: `streamlit run app.py`. The frame of the dashboard; the pages stand in pages/views/."""

from pathlib import Path

import streamlit as st

from tl_core.errors import TransferError
from tl_core.ui import frame, session, shown, steps

ICON = Path(__file__).resolve().parent / "tl_core" / "ui" / "icon.png"

st.set_page_config(page_title="Transfer Lab", page_icon=str(ICON), layout="wide")
page = st.navigation(
    [st.Page(step.script, title=step.title, icon=step.icon, url_path=step.title.lower()) for step in steps.STEPS],
    position="hidden",
)

try:
    session.store()
    session.keep_address()
    frame.sidebar()
    page.run()
except TransferError as error:
    shown.say_wrong(str(error))
