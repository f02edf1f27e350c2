"""The line of waiting runs, in words."""

from collections.abc import Sequence

from tl_core.analysis.statements import seconds
from tl_core.runner.line import needs_device
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.ui import formatting, run_progress

SOON_SECONDS = 10.0
"""A run that nothing is before starts sooner than that."""
ORDINALS = ("Next", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


def line(runs: Sequence[Run]) -> list[Run]:
    """Return the waiting ones among `runs`, the next first: the order in which the store gives them out."""
    waiting = [run for run in runs if run.state is State.QUEUED]
    return sorted(waiting, key=lambda run: (-run.priority, run.place, run.number))


def at_work(runs: Sequence[Run]) -> list[Run]:
    """Return those among `runs` that have a process, the oldest first."""
    return sorted((run for run in runs if run.state.at_work), key=lambda run: run.number)


def place(run: Run, runs: Sequence[Run]) -> str:
    """Return "Next in line", "Second in line", "27th in line"."""
    index = [other.id for other in line(runs)].index(run.id)
    return f"{ORDINALS[index] if index < len(ORDINALS) else _th(index + 1)} in line"


def _th(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def when(run: Run, runs: Sequence[Run], now: float) -> str:
    """Return in a sentence what the start of a waiting run waits for. `now` is in seconds since 1970."""
    if not needs_device(run):
        return "It has a queue of its own, and is handed over as soon as the place where it runs answers."
    ahead = [other.id for other in line(runs) if needs_device(other)].index(run.id)
    working = [other for other in at_work(runs) if needs_device(other)]
    if not working:
        if ahead:
            return "It starts when the runs ahead of it have ended."
        if abs(now - run.changed) < SOON_SECONDS:  # a clock may be set back
            return "It starts at once."
        return "It starts as soon as a device is free. Something other than these runs may be using it."
    lefts = [left for other in working if (left := run_progress.seconds_left(other, now)) is not None]
    after = f" (about {seconds(min(lefts))})" if lefts else ""
    ends = f"{formatting.name_of(working[0])} ends" if len(working) == 1 else f"the first of the {len(working)} runs at work ends"
    if not ahead:
        return f"It starts when {ends}{after}."
    before = "one other run goes" if ahead == 1 else f"{ahead} other runs go"
    return f"When {ends}{after}, {before} first."
