"""What the runner does for groups that are halved: the better runs of a rung go on, and the others are told why they do not."""

import math
import time
from contextlib import suppress

from tl_core.errors import RunError
from tl_core.runs import groups, rungs
from tl_core.runs.rungs import Decision
from tl_core.runs.states import State
from tl_core.runs.store import Store

LOOK_SECONDS = 2.0
"""How often it looks while runs are at work."""


class Halving:
    """Decides, at each look, of the runs that wait at a rung."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked = -math.inf

    def tend(self, *, busy: bool) -> None:
        """Let runs go on, or leave them, where all that they are held against have come as far."""
        if busy and time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        waiting = {run.id for run in self._store.paused() if rungs.waits(run)}
        if waiting:
            known = self._store.runs()
            for group in groups.listed(self._store):
                if group.group.successive_halving and waiting & group.runs.keys():
                    for decision in rungs.decisions(self._store, group.among(known)):
                        self._write(decision)

    def _write(self, decision: Decision) -> None:
        """Do as was decided, unless somebody has resumed, stopped or deleted the run meanwhile."""
        run_id, left = decision.run.id, decision.left
        if left is None:
            self._store.change_state(run_id, (State.PAUSED,), State.QUEUED, rung=decision.rung)
            return
        with suppress(RunError):
            self._store.update(run_id, lambda run: {"left_at": left.model_dump() if rungs.waits(run) else run.left_at})
