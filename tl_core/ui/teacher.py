"""A run that another one has taught, beside its teacher: what the smaller network gives up, and what it saves."""

import pandas as pd
import streamlit as st

from tl_core.errors import TransferError
from tl_core.recipe import Recipe, things_of
from tl_core.runs.compared import deciding
from tl_core.runs.store import Run
from tl_core.ui import compare_by, estimates, formatting, session


def teacher_and_student(run: Run) -> None:
    """Draw how good, how large and how quick `run` and its teacher are, where it had one."""
    teacher_id = _teacher_of(run)
    if teacher_id is None:
        return
    teacher = next((other for other in session.runs() if other.id == teacher_id), None)
    if teacher is None:
        st.caption(f"The run that taught this one, {formatting.plain(teacher_id)}, was deleted.")
        return
    both, names = {"Student": run, "Teacher": teacher}, formatting.names_apart([run, teacher])
    rows = [
        {
            "": role,
            "Run": names[each.id],
            "Accuracy": formatting.in_column(formatting.accuracy_of(each)),
            "Parameters": session.result(each.id).total_parameters,
            f"Seconds per 1,000 {things_of(run.spec)}": _seconds(each),
        }
        for role, each in both.items()
    ]
    st.markdown("**What was taught**")
    numbers = {"Parameters": st.column_config.NumberColumn(format="localized")}
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=numbers, alt="The student and its teacher")
    told = compare_by.verdict(run, teacher, deciding(run), names)
    st.caption(
        f"{formatting.plain(told)} The seconds are those of the network on this machine, without its head; a dash stands where "
        "it is still measured."
    )


def _teacher_of(run: Run) -> str | None:
    try:
        return Recipe.of(run.spec).strategy.teacher_run
    except TransferError:
        return None


def _seconds(run: Run) -> str:
    """Return the seconds that the frozen network takes for 1,000 examples."""
    measured = estimates.probe(Recipe.of(run.spec))
    return f"{1000 / measured.frozen_rate:.1f}" if measured else "\N{EN DASH}"
