"""What a run was made with, and how it is made again."""

import pandas as pd
import streamlit as st

from tl_core.result import Result
from tl_core.runs.repetition import command, spec_of
from tl_core.spec import RunSpec, to_text
from tl_core.ui import session, steps


def settings(spec: RunSpec, result: Result) -> None:
    """Draw the exact settings, the versions, and the command that repeats the run in the precision that it computed in."""
    spec = spec_of(spec, result)
    st.code(command(spec, result), language=None, wrap_lines=True)
    facts = (
        spec.dotted()
        | {
            "precision": result.precision,
            "sha256 of the data": result.data_digest or None,
            "computed on": result.device or None,
        }
        | result.versions
    )
    table = {name: to_text(value) for name, value in facts.items()}
    st.dataframe(
        pd.DataFrame({"Setting": table.keys(), "Value": table.values()}),
        hide_index=True,
        width="stretch",
        alt="All settings of this run",
    )
    if st.button(
        "Use these settings",
        key="use_settings",
        icon=":material/edit:",
        help="Copy them into the recipe, to change one and run again.",
    ):
        session.take(spec)
        st.switch_page(steps.STRATEGY.script)
