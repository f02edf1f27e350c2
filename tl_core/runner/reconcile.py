"""Noticing runs whose process is gone, and ending those that are overdue after a stop."""

import contextlib
import shutil
import time
from functools import partial

from tl_core import executors
from tl_core.errors import ExecutorError, RunError, SettingError, StorageError
from tl_core.executors import Executor, Job
from tl_core.result import Result
from tl_core.runs import artifacts, exit_reasons, file_link
from tl_core.runs.states import State, before
from tl_core.runs.store import Run, Store

ASKED_SECONDS, OVERDUE_SECONDS = 3.0, 4.0
"""A run that is still there so long after a stop is asked to end by a signal, and then ended. Inside it gives up earlier."""
MOST_LAUNCHES = 3
"""A run that vanishes so often before it has begun is not launched again by itself."""


def reconcile(store: Store) -> None:
    """Look after every run on this machine that should have a process."""
    for run in store.at_work():
        with contextlib.suppress(SettingError):  # an executor that is no longer installed
            executor = executors.build(run.spec.executor)
            if executor.shares_store:
                supervise(store, run, executor)


def supervise(store: Store, run: Run, executor: Executor) -> None:
    """Give `run` an end state where its process is gone, and end it where it is overdue."""
    job = job_of(store, run)
    try:
        if not executor.lives(job):
            with contextlib.suppress(StorageError):  # on a full disk no end can be written, but what there is can be shown
                if not executor.shares_store:
                    file_link.collect(store, run)  # its last words, written since the last look
                now = store.run(run.id)
                if now.attempts == run.attempts:  # else it lives again: somebody else has noticed, and it was resumed
                    record_end(store, now, executor)
        elif (
            run.state is State.CANCELLING and (late := abs(time.time() - run.changed)) > ASKED_SECONDS
        ):  # a clock may be set back
            executor.end(job, at_once=late > OVERDUE_SECONDS)
    except ExecutorError as error:
        if run.stage != str(error):
            store.record(run.id, [], stage=str(error))


def job_of(store: Store, run: Run) -> Job:
    """Return `run` as its executor sees it."""
    return Job(run.id, run.attempts, store.home, store.folder(run.id), run.environment, run.handle)


def _may_be_launched_again(run: Run, executor: Executor, job: Job) -> bool:
    """Return whether it was lost before it began: the runner died before it had launched it, or a cluster forgot it."""
    return executor.forgot(job) and (run.attempts < MOST_LAUNCHES or not executor.shares_store)


def record_end(store: Store, run: Run, executor: Executor) -> None:
    """Record the end of a run whose process, that of this attempt, is gone."""
    change = partial(store.change_state, run.id, (run.state,), attempt=run.attempts)
    if run.state is State.CANCELLING:
        change(State.CANCELLED)
    elif run.state is State.STARTING and _may_be_launched_again(run, executor, job_of(store, run)):
        change(State.QUEUED)
    elif run.state in before(State.DONE) and (found := _stored_result(store, run)):
        change(State.DONE, **artifacts.summary(found))
        shutil.rmtree(store.folder(run.id) / artifacts.CHECKPOINT, ignore_errors=True)
    elif run.state.at_work:
        told, kind = exit_reasons.of_death(store, run, executor.last_words(job_of(store, run)))
        change(State.CRASHED, error=told, error_kind=kind)


def _stored_result(store: Store, run: Run) -> Result | None:
    """Return the result of a run that was killed after it had written all and before it could say so; None where it has none."""
    try:
        return artifacts.read_result(store.folder(run.id))
    except RunError:
        return None
