"""Many short runs on two devices, while somebody kills runners, runs and spares, pauses, stops and moves: from a fixed seed.

A longer one: pytest tests/runs/test_soak.py --soak 5000
"""

import contextlib
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers import HANGS_SECONDS, QUICK, processes_of
from tests.tools.crashing import Watchman, assert_whole, kill, short_training
from tests.tools.driver import make_driver
from tl_core.errors import RunError
from tl_core.runner import control, service
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system.settings import LEASES_VARIABLE, SPARE_VARIABLE

pytestmark = pytest.mark.process

IN_LINE = 12
"""So many runs wait or work at a time."""
SECONDS_PER_RUN = 30.0
"""A soak that takes longer than this for each run hangs."""
KILL_ONE_IN = 4
KILLED_PER_RUN, PAUSED_PER_RUN, STOPPED_PER_RUN = 2, 1, 1 / 4
"""At most, on average: on a busy machine no run would come to its end between two kills, and all of them would be stopped."""
NAMES = {"serve": "runner", "spare": "spare"}


@pytest.mark.full
def test_a_soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    count = int(request.config.getoption("--soak"))
    short_training(monkeypatch)
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "leases"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(make_driver(tmp_path)))
    soak = Soak(Store(), random.Random(20261123), count)
    with Watchman(soak.store.home).on_guard() as watchman:
        soak.run(time.monotonic() + HANGS_SECONDS + count * SECONDS_PER_RUN)
    assert watchman.seen == {"GPU-aaaa.lock", "GPU-bbbb.lock"}
    states = Counter(run.state for run in soak.store.runs())
    assert set(states) == {State.DONE, State.CANCELLED}
    assert states.total() == count
    assert {run.id for run in soak.store.runs() if run.state is State.CANCELLED} <= soak.stopped
    for run in soak.store.runs():
        assert_whole(soak.store, run.id)
    # Everything was tried; a busy machine may give each spare to a run before anybody can kill it.
    assert min(times for what, times in soak.did.items() if what != "killed spare") > 0, soak.did
    sys.stdout.write(f"{dict(states)}, {dict(soak.did)}, launched {sum(run.attempts for run in soak.store.runs())} times\n")


class Soak:
    """Somebody who starts runs and does not leave them alone."""

    def __init__(self, store: Store, chance: random.Random, count: int) -> None:
        self.store, self.chance, self.count = store, chance, count
        self.started = 0
        self.stopped: set[str] = set()
        self.did = Counter(
            dict.fromkeys(("killed run", "killed runner", "killed spare", "paused", "resumed", "stopped", "moved"), 0)
        )

    def run(self, until: float) -> None:
        """Go on until every run has come to `done`, or was stopped."""
        while time.monotonic() < until:
            waiting = [run for run in self.store.runs() if run.state is not State.DONE and run.id not in self.stopped]
            unfinished = [run for run in self.store.runs() if run.state.alive]
            if self.started == self.count and not waiting and not unfinished:
                return
            for _ in range(min(IN_LINE - len(waiting), self.count - self.started)):
                control.start(self.store, QUICK.with_settings({"strategy.epochs": self.chance.randint(1, 3)}))
                self.started += 1
            service.ensure(self.store.home)
            with contextlib.suppress(RunError):  # it was quicker
                self._meddle()
            time.sleep(self.chance.uniform(0.0, 0.3))
        pytest.fail(f"not over in time: {Counter(run.state for run in self.store.runs())}, {dict(self.did)}")

    def _meddle(self) -> None:
        runs = self.store.runs()
        for run in runs:
            if run.state in (State.PAUSED, State.CRASHED) and run.id not in self.stopped:
                control.resume(self.store, run.id)
                self.did["resumed"] += 1
        killed = sum(times for what, times in self.did.items() if what.startswith("killed"))
        if self.chance.randrange(KILL_ONE_IN) == 0 and killed < KILLED_PER_RUN * self.count:
            self._kill()
        alive = [run for run in runs if run.state.alive]
        if not alive:
            return
        chosen = self.chance.choice(alive)
        wish = self.chance.choice(("pause", "move", "stop", *[""] * 12))
        if wish == "pause" and self.did["paused"] < PAUSED_PER_RUN * self.count:
            control.pause(self.store, chosen.id)
            self.did["paused"] += 1
        elif wish == "move":
            control.move(self.store, chosen.id, self.chance.randint(1, IN_LINE))
            self.did["moved"] += 1
        elif wish == "stop" and self.did["stopped"] < STOPPED_PER_RUN * self.count:
            control.stop(self.store, chosen.id)  # refused where it was killed since it was looked at: it is resumed then
            self.stopped.add(chosen.id)
            self.did["stopped"] += 1

    def _kill(self) -> None:
        kind = self.chance.choice(("work", "work", "serve", "spare"))
        found = processes_of(self.store.home, kind)
        if found:
            process = self.chance.choice(found)
            of_run = str(process.pid) in {run.handle for run in self.store.at_work()}
            kill(process)
            self.did["killed run" if of_run or kind == "work" else f"killed {NAMES[kind]}"] += 1
