"""The states of a run, each named once, and the only ways from one to another."""

from enum import StrEnum


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CRASHED = "crashed"

    @property
    def at_work(self) -> bool:
        """Return whether a process should be working on the run."""
        return self in AT_WORK

    @property
    def alive(self) -> bool:
        """Return whether the run will move on without anybody doing anything."""
        return self is State.QUEUED or self.at_work

    @property
    def ended(self) -> bool:
        """Return whether it is one of the ends; `done` is final, from the others a run can be continued."""
        return self in ENDS


AT_WORK = (State.STARTING, State.RUNNING, State.PAUSING, State.CANCELLING)
"""States in which the run's process holds the run's lock."""
ENDS = (State.DONE, State.FAILED, State.CANCELLED, State.CRASHED)
AT_REST = (State.PAUSED, *ENDS)
"""States that a run leaves only where somebody asks for it."""

_LEADS_TO = {
    State.QUEUED: {State.STARTING, State.PAUSED, State.CANCELLED},
    # Back to the queue goes a run whose runner died before it had launched the process.
    State.STARTING: {State.RUNNING, State.PAUSING, State.CANCELLING, State.FAILED, State.CRASHED, State.QUEUED},
    State.RUNNING: {State.PAUSING, State.CANCELLING, State.DONE, State.FAILED, State.CRASHED},
    State.PAUSING: {State.PAUSED, State.CANCELLING, State.DONE, State.FAILED, State.CRASHED},
    State.PAUSED: {State.QUEUED, State.CANCELLED},
    State.CANCELLING: {State.CANCELLED},
    State.DONE: set(),
    State.FAILED: {State.QUEUED},
    State.CANCELLED: {State.QUEUED},
    State.CRASHED: {State.QUEUED},
}


def before(to: State) -> tuple[State, ...]:
    """Return the states from which a run may come to `to`."""
    return tuple(state for state, ways in _LEADS_TO.items() if to in ways)
