"""What was expected of a run, held against what it took."""

import streamlit as st

from tl_core.analysis.statements import seconds, size
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.estimating import Estimate
from tl_core.runs.store import Run
from tl_core.ui import session

SAME = 0.03
"""A smaller part of what was expected is not worth a word."""


def expected(run: Run, result: Result) -> None:
    """A sentence, or that nothing had been expected."""
    found = artifacts.read_estimate(session.store().folder(run.id))
    if found is None:
        st.caption("There was no estimate: this network had not been measured on this machine when the run began.")
        return
    st.markdown(told(found, result.seconds, session.usage(run).peak_memory_bytes))
    reused = any("in the cache already" in line for phase in result.phases for line in phase.frozen_part)
    if reused:
        st.caption("The estimate knew nothing of what was in the cache already, which made the run quicker.")


def told(estimate: Estimate, took: float, memory: int | None) -> str:
    """Estimated and actual seconds, without starting Python, and memory (bytes; None where it was not measured)."""
    text = f"Estimated **{seconds(estimate.running_seconds)}**, took **{seconds(took)}** ({_off(took, estimate.running_seconds)})"
    if memory is not None:
        off = _off(memory, estimate.memory_bytes)
        text += f"; estimated **{size(estimate.memory_bytes)}** of memory, held **{size(memory)}** at most ({off})"
    return f"{text}. Neither counts starting Python or waiting."


def _off(actual: float, estimated: float) -> str:
    share = actual / estimated - 1 if estimated else 0.0
    return "as estimated" if abs(share) < SAME else f"{100 * abs(share):.0f} % {'more' if share > 0 else 'less'}"
