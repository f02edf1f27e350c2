"""How long a run still takes."""

import os
import threading
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.helpers import QUICK, python
from tl_core.cli.progress import Interrupts, watch
from tl_core.events import Activity
from tl_core.planning.estimate import Estimate
from tl_core.runner import service
from tl_core.runs import artifacts
from tl_core.runs.eta import eta, stored_eta
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.system import locks


@pytest.fixture
def run() -> Run:
    store = Store()
    store.create("a", QUICK)
    return store.run("a")


def test_nothing_is_said_before_there_is_something_to_say_it_from(run: Run) -> None:
    assert eta(run, 100.0) is None
    assert eta(replace(run, done=0.5), 100.0) is None  # it waits
    assert eta(replace(run, state=State.RUNNING, changed=90.0, done=0.04), 100.0) is None
    assert eta(replace(run, state=State.RUNNING, changed=90.0, done=0.01), 100.0, 30.0) is None


def test_what_is_left_goes_as_fast_as_what_is_done(run: Run) -> None:
    at_work = replace(run, state=State.RUNNING, changed=90.0)
    assert eta(replace(at_work, done=0.25), 100.0) == pytest.approx(30.0)
    assert eta(replace(at_work, done=1.0), 100.0) == 0
    assert eta(replace(at_work, done=0.25, stage=Activity.FETCHING_DATASET), 100.0) is None  # that is of the download alone
    assert eta(replace(at_work, done=0.25, ran=10.0), 100.0) == pytest.approx(60.0)  # before a pause it ran, too


def test_the_less_is_done_the_more_an_estimate_counts(run: Run, tmp_path: Path) -> None:
    at_work = replace(run, state=State.RUNNING, changed=90.0)  # ten seconds ago
    assert eta(replace(at_work, done=0.025), 100.0, 30.0) == pytest.approx((0.1 * 400 + 0.9 * 30) * 0.975)
    assert eta(replace(at_work, done=0.5), 100.0, 30.0) == eta(replace(at_work, done=0.5), 100.0)
    assert stored_eta(replace(at_work, done=0.025), 100.0, tmp_path) is None
    artifacts.write_estimate(tmp_path, Estimate(2.0, 30.0, 1, 1, 1, 1))
    assert stored_eta(replace(at_work, done=0.025), 100.0, tmp_path) == eta(replace(at_work, done=0.025), 100.0, 30.0)


LOST = """
import signal
from tl_core.cli.progress import Interrupts

class Falling:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

before = signal.signal(signal.SIGINT, signal.default_int_handler)
with Interrupts() as interrupts:
    interrupts.check()
    Falling()
    try:
        interrupts.check()
    except KeyboardInterrupt:
        print("remembered")
    interrupts.check()
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_a_waiting_run_says_its_place(run: Run, home: Path) -> None:
    store, shown = Store(), StringIO()
    store.create("b", QUICK)
    held = locks.hold(service.lock_file(home))  # no runner comes and launches them
    assert held is not None
    threading.Timer(1.0, store.change_state, ("b", (State.QUEUED,), State.CANCELLED)).start()
    with Interrupts() as interrupts:
        watch(store, "b", Console(file=shown, force_terminal=True, width=120), interrupts)
    os.close(held)
    assert "Waiting, place 2 in the queue" in shown.getvalue()


def test_ctrl_c_is_remembered_where_python_would_lose_it() -> None:
    """In a callback of the garbage collector, of the import system or of a finalizer an exception is printed and gone.

    In a process of its own: in this one a signal may have become somebody else's.
    """
    done = python(LOST)
    assert (done.out.split(), done.code) == (["remembered", "True"], 0), done.err
