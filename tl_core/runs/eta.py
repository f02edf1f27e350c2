"""How long a run still takes."""

from pathlib import Path

from tl_core.events import Activity, decoded
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Run

LEAST_DONE = 0.02
LEAST_DONE_UNEXPECTED = 0.05
"""The share of the work from which on the time left is told: with an estimate from before the run, and without one."""
PACE_IS_KNOWN = 0.25
"""The share of the work from which on the pace alone tells it."""


def eta(run: Run, now: float, expected: float | None = None) -> float | None:
    """Return the seconds until `run` ends, from the share of its work done and the time that it took. None before there is enough
    to say it from, and while data are fetched. The start of Python is not in the rate.

    `expected` is the estimate of the whole run (seconds) from before it began. It counts the more, the less is done: a run loads
    and compiles first, which a share of a few percent takes for its pace.
    """
    fetches = decoded(run.stage)[0] is Activity.FETCHING_DATASET
    least = LEAST_DONE_UNEXPECTED if expected is None else LEAST_DONE
    if run.state is not State.RUNNING or run.done < least or fetches:
        return None
    at_this_pace = run.running_seconds(now) / run.done
    pace = 1.0 if expected is None else min(1.0, run.done / PACE_IS_KNOWN)
    return (pace * at_this_pace + (1 - pace) * (expected or 0.0)) * (1 - run.done)


def stored_eta(run: Run, now: float, folder: Path) -> float | None:
    """Return `eta` of a run with what its `folder` keeps of the estimate."""
    found = artifacts.read_estimate(folder) if run.state is State.RUNNING else None
    return eta(run, now, found.running_seconds if found else None)
