"""What computes on this machine, and how fast: the doctor's facts, and the line that mends what is wrong."""

import pandas as pd
import streamlit as st

from tl_core.machine.doctor import Examination
from tl_core.recipe import Recipe
from tl_core.studies._doctors_words import FINE, facts, what_is_the_matter
from tl_core.studies.backend_times import BackendTimes, BackendTimesResult
from tl_core.ui import formatting
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "Which device, driver and backend compute here, and why a GPU that is there does not. Then 50 training steps of this network "
    "on each backend that is installed, one after the other: minutes on a processor."
)
STUDY = BackendTimes()


def this_computer(recipe: Recipe) -> None:
    """Draw the panel."""
    with st.expander("This computer", icon=":material/memory:", key="this_computer"):
        StudyPanel(STUDY, ABOUT, "Examine and time", "Examine again", "stethoscope", _show).draw(recipe)


def _show(found: BackendTimesResult) -> None:
    if found.examination is not None:
        _examined(found.examination)
    rows = list(STUDY.rows(found))
    if rows:
        titles = {name: name.replace("_", " ").capitalize() for name in rows[0]}
        numbers = {name: st.column_config.NumberColumn(titles[name], format="%.3g") for name in rows[0] if "_" in name}
        columns = titles | numbers
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=columns, alt="Times of each backend")
        st.caption("Training steps of 32 examples in float32; the first one compiles and does not count in the others' median.")


def _examined(found: Examination) -> None:
    st.markdown("\n".join(f"- **{name}:** {formatting.plain(fact)}" for name, fact in facts(found).items()))
    say = st.success if found.finding in FINE else st.warning
    say(formatting.plain(what_is_the_matter(found)))
