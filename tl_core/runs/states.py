"""The states of a run, each named once."""

from enum import StrEnum


class State(StrEnum):
    """Where a run stands. The first three are alive, the others are ends."""

    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CRASHED = "crashed"

    @property
    def alive(self) -> bool:
        """Whether a process should be working on the run."""
        return self in ALIVE


ALIVE = (State.STARTING, State.RUNNING, State.CANCELLING)
"""States in which the run's process holds the run's lock."""

STOPPABLE = (State.STARTING, State.RUNNING)
"""States in which a stop can be asked for."""
