"""What every executor of this machine keeps to: the process of a run stands apart, its output is kept, and it holds its locks
while it lives. Checks start processes, which train one small run each; an executor for other machines passes them unseen."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path

import psutil

from tl_core.errors import StorageError
from tl_core.executors import Executor, Job
from tl_core.runner.reconcile import job_of
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system import locks
from tl_core.testing.runs import ENDLESS, QUICK, wait_until

ExecutorCheck = Callable[[type[Executor]], None]


def of_this_machine(check: ExecutorCheck) -> ExecutorCheck:
    """Check only executors whose processes write into the store themselves."""

    @wraps(check)
    def checked(part: type[Executor]) -> None:
        if part.shares_store:
            check(part)

    return checked


@of_this_machine
def check_a_job_that_was_never_launched_does_not_live(part: type[Executor]) -> None:
    """Check that nothing is known of how such a job ended, and that to end it is no mistake."""
    with _store() as store:
        executor, job = part.example(), Job("a", 1, store.home, store.folder("a"), {})
        assert not executor.lives(job)
        assert executor.last_words(job) == ""
        executor.end(job, at_once=True)


@of_this_machine
def check_a_log_that_cannot_be_made_is_told(part: type[Executor]) -> None:
    """Check that a log that cannot be made raises a `StorageError` that names its place."""
    with _store() as store:
        job = Job("a", 1, store.home, store.home / "missing", {})
        try:
            part.example().launch(job)
        except StorageError as error:
            assert "missing" in str(error)
        else:
            raise AssertionError("It was launched without a log.")


@of_this_machine
def check_a_process_that_is_asked_to_end_does(part: type[Executor]) -> None:
    """Check that a process stands apart and lives until it is asked to end."""
    _check_ending(part, at_once=False)


@of_this_machine
def check_a_process_can_be_ended_at_once(part: type[Executor]) -> None:
    """Check that a process stands apart and lives until it is killed."""
    _check_ending(part, at_once=True)


@of_this_machine
def check_a_run_ends_by_itself_and_its_output_is_in_the_log(part: type[Executor]) -> None:
    """Check that a run ends by itself and runs this very code: Python tells in the log which files it imports."""
    with _store() as store, _launched(part, store, QUICK, {"PYTHONVERBOSE": "1"}) as (executor, job):
        wait_until(lambda: not executor.lives(job))
        assert str(Path(locks.__file__).parent) in job.log.read_text(encoding="utf-8")
        assert store.run(job.run_id).state is State.DONE


@of_this_machine
def check_the_variables_of_a_job_reach_its_process(part: type[Executor]) -> None:
    """Check that a process has the variables of whoever asked for the run, in the place of those of whoever launches it."""
    with _store() as store, _launched(part, store, ENDLESS, {"TF_OF_THE_JOB": "7"}) as (_, job):
        wait_until(lambda: store.events(job.run_id, "step"))
        assert psutil.Process(int(job.handle or 0)).environ()["TF_OF_THE_JOB"] == "7"


def _check_ending(part: type[Executor], *, at_once: bool) -> None:
    with _store() as store, _launched(part, store, ENDLESS) as (executor, job):
        wait_until(lambda: store.events(job.run_id, "step"))
        pid = int(job.handle or 0)
        assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
        assert executor.lives(job)
        executor.end(job, at_once=at_once)
        wait_until(lambda: not executor.lives(job))
        assert executor.last_words(job) == f"It was ended by the signal {'SIGKILL' if at_once else 'SIGTERM'}."
        wait_until(lambda: not psutil.pid_exists(pid))  # reaped: no zombie stays behind
        executor.end(job, at_once=True)  # no mistake, and nobody else's process


@contextmanager
def _store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="transfer_lab_", ignore_cleanup_errors=True) as home:
        store = Store(Path(home))
        yield store
        store.close()


@contextmanager
def _launched(
    part: type[Executor], store: Store, spec: RunSpec, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[Executor, Job]]:
    """Launch a run and yield it at work; it is over in the end. This process lets go of its lock."""
    executor, folder = part.example(), store.new_folder()
    store.create(folder.name, spec)
    assert store.change_state(folder.name, (State.QUEUED,), State.STARTING)
    job = replace(job_of(store, store.run(folder.name)), environment=environment or {})
    lock = locks.hold(job.lock)
    assert lock is not None
    handle = executor.launch(job, [lock])
    os.close(lock)
    store.record(folder.name, [], handle=handle)
    job = replace(job, handle=handle)
    try:
        yield executor, job
    finally:
        executor.end(job, at_once=True)
        wait_until(lambda: not executor.lives(job))
