"""What every executor keeps to, and for those of this machine that the process stands apart, its output is kept, and it holds
its locks while it lives."""

import os
from pathlib import Path

import psutil
import pytest

from tests.helpers import ENDLESS, QUICK, keep_run, wait_until
from tests.tools.crashing import short_training
from tl_core import executors
from tl_core.errors import StorageError
from tl_core.executors import Executor, Job
from tl_core.runner.reconcile import job_of
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system import locks

PARTS = executors.executors.parts()
HERE = [name for name, part in PARTS.items() if part.shares_store]


@pytest.fixture(params=HERE)
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Executor:
    short_training(monkeypatch)
    return PARTS[request.param].example()


@pytest.fixture
def store() -> Store:
    return Store()


def launch(executor: Executor, store: Store, spec: RunSpec) -> Job:
    """A run at work; this process lets go of its lock."""
    folder = store.new_folder()
    keep_run(store, folder.name, State.STARTING, spec)
    lock = locks.hold(folder / executors.LOCK)
    assert lock is not None
    handle = executor.launch(job_of(store, store.run(folder.name)), [lock])
    os.close(lock)
    store.record(folder.name, [], handle=handle)
    return job_of(store, store.run(folder.name))


@pytest.mark.process
@pytest.mark.parametrize("at_once", [False, True], ids=["asked", "at once"])
def test_the_process_stands_apart_and_holds_its_lock_until_it_is_ended(executor: Executor, store: Store, at_once: bool) -> None:
    job = launch(executor, store, ENDLESS)
    wait_until(lambda: store.events(job.run_id, "step"))
    pid = int(job.handle or 0)
    assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
    assert executor.lives(job)
    executor.end(job, at_once=at_once)
    wait_until(lambda: not executor.lives(job))
    assert executor.last_words(job) == f"It was ended by the signal {'SIGKILL' if at_once else 'SIGTERM'}."
    wait_until(lambda: not psutil.pid_exists(pid))  # reaped: no zombie stays behind
    executor.end(job, at_once=True)  # no mistake, and nobody else's process


@pytest.mark.process
def test_output_is_in_the_log(executor: Executor, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONVERBOSE", "1")
    job = launch(executor, store, QUICK)
    wait_until(lambda: not executor.lives(job))
    assert f"{Path(executors.__file__).parent}" in job.log.read_text()  # and it ran this very code
    assert store.run(job.run_id).state is State.DONE


@pytest.mark.process
def test_the_variables_of_a_job_reach_its_process(executor: Executor, store: Store) -> None:
    folder = store.new_folder()
    keep_run(store, folder.name, State.STARTING, ENDLESS)
    job = Job(folder.name, 1, store.home, folder, {"TF_OF_THE_JOB": "7"})
    handle = executor.launch(job)
    wait_until(lambda: store.events(folder.name, "step"))
    assert psutil.Process(int(handle)).environ()["TF_OF_THE_JOB"] == "7"


def test_a_job_that_was_never_launched_does_not_live(executor: Executor, store: Store) -> None:
    job = Job("a", 1, store.home, store.folder("a"), {})
    assert not executor.lives(job)
    assert executor.last_words(job) == ""
    executor.end(job, at_once=True)


def test_a_log_that_cannot_be_made_is_told(executor: Executor, store: Store) -> None:
    with pytest.raises(StorageError, match=r"The log of the run cannot be made .*missing"):
        executor.launch(Job("a", 1, store.home, store.home / "missing", {}))
