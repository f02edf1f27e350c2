"""Transfer Lab: `streamlit run app.py`. The frame of the dashboard; the pages stand in pages/views/."""

from pathlib import Path

import streamlit as st

from tl_core.errors import TransferError
from tl_core.ui import address, formatting, frame, session, steps

UI = Path(frame.__file__).parent

st.set_page_config(page_title="Transfer Lab", page_icon=str(UI / "icon.png"), layout="wide")
first, *others = steps.pages()
# The first page answers at the root, and only there: its name would lead nowhere, though people type it.
root = st.Page(first.script, title=first.title, icon=first.icon, url_path="start", default=True)
by_name = st.Page(lambda: st.switch_page(root, query_params=session.url_parameters()), url_path=first.path, visibility="hidden")
rest = [st.Page(page.script, title=page.title, icon=page.icon, url_path=page.path) for page in others]
page = st.navigation([root, by_name, *rest], position="hidden")

here = next((each for each in steps.pages() if each.title == page.title), first)
st.html(UI / "style.css")

try:
    session.ensure_runner()
    frame.choose_run(here)
    address.keep_address()
    frame.sidebar()
    page.run()
except TransferError as error:
    formatting.say_wrong(str(error))
