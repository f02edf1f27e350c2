"""How long a run still takes."""

from tl_core.events import Activity, decoded
from tl_core.runs.states import State
from tl_core.runs.store import Run


def eta(run: Run, now: float) -> float | None:
    """Return the seconds until `run` ends, from the share of its work done and the time that it took. None before there is enough
    to say it from, and while data are fetched. The start of Python is not in the rate."""
    fetches = decoded(run.stage)[0] is Activity.FETCHING_DATASET
    if run.state is not State.RUNNING or run.done < 0.02 or fetches:
        return None
    return run.running_seconds(now) / run.done * (1 - run.done)
