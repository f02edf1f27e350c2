"""Transfer Lab: `streamlit run app.py`. The frame of the dashboard; the pages stand in pages/views/."""

import streamlit as st

from tl_core.errors import TransferError
from tl_core.ui import frame, session, shown, steps

st.set_page_config(page_title="Transfer Lab", page_icon=":material/model_training:", layout="wide")
page = st.navigation(
    [st.Page(step.script, title=step.title, icon=step.icon, url_path=step.title.lower()) for step in steps.STEPS],
    position="hidden",
)

try:
    session.store()
    frame.sidebar()
    page.run()
except TransferError as error:
    shown.say_wrong(str(error))
