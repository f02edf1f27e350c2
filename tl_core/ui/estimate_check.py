"""What was expected of a run, held against what it took."""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from tl_core.analysis.statements import seconds, size
from tl_core.planning.estimate import Estimate
from tl_core.precision import Precision
from tl_core.result import Result
from tl_core.runs import artifacts
from tl_core.runs.store import Run
from tl_core.ui import formatting, session

SAME = 0.03
"""A smaller part of what was expected is not worth a word."""


def expected(run: Run, result: Result) -> None:
    """Draw estimated and actual time, memory and disk, and why they may differ; or that nothing had been expected."""
    folder = session.store().folder(run.id)
    found = artifacts.read_estimate(folder)
    if found is None:
        st.caption("There was no estimate: this network had not been measured on this machine when the run began.")
        return
    memory = session.usage(run).peak_memory_bytes
    st.markdown("\n".join(f"- {line}" for line in comparisons(found, result.seconds, memory, _held(folder))))
    st.caption(" ".join(["Starting Python and waiting are not counted.", *reasons(run, result)]))


def comparisons(estimate: Estimate, took: float, memory: int | None, disk: int) -> Iterator[str]:
    """Yield sentences that compare the estimate with what the run needed.

    `took` is in seconds, counted from when Python had started; `memory` is the most memory that it held in bytes, None where it
    was not measured; `disk` is the bytes in its folder.
    """
    off = _off(took, estimate.running_seconds)
    yield f"Estimated {_bold(seconds(estimate.running_seconds))}, took {_bold(seconds(took))} ({off})."
    if memory is not None:
        off = _off(memory, estimate.memory_bytes)
        yield f"Estimated {_bold(size(estimate.memory_bytes))} of memory at most, held {_bold(size(memory))} ({off})."
    yield (
        f"Estimated {_bold(size(estimate.disk_bytes))} of disk at most. Its folder takes {_bold(size(disk))}; what it put into "
        "the cache serves all runs."
    )


def reasons(run: Run, result: Result) -> Iterator[str]:
    """Yield what a run met that no estimate counts, a sentence each."""
    records = result.phases
    if result.frozen_part.reused or any(record.frozen_part.reused for record in records):
        yield "Features were already in the cache, which the estimate does not take into account."
    if result.resumed:
        yield f"Interrupted {formatting.times(result.resumed)}, it had to load and compile again, which its time includes."
    if result.precision is not Precision.FLOAT32:
        yield f"The estimate is for float32; the run computed in {result.precision.value}."
    plan = session.events(run, "plan")
    planned = [phase["epochs"] for phase in plan[-1].data["phases"]] if plan else []
    if any(record.epochs < epochs for record, epochs in zip(records, planned, strict=False)):
        yield "It ended after fewer epochs than planned, since the validation loss no longer fell."


def _held(folder: Path) -> int:
    """Return the bytes of the files of a run."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _off(actual: float, estimated: float) -> str:
    share = actual / estimated - 1 if estimated else 0.0
    percent = formatting.unbroken(f"{100 * abs(share):.0f} %")
    return "as estimated" if abs(share) < SAME else f"{percent} {'more' if share > 0 else 'less'}"


def _bold(text: str) -> str:
    return f"**{formatting.unbroken(text)}**"
