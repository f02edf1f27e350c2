"""The runner: it gives waiting runs a device and a process, and looks after those that have one.

There is one for a home, apart from every page and every run. It owns nothing: what it knows stands in the store, and
what it leases is held by the runs. It can be killed at any instant, and the next one goes on.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tl_core import executors
from tl_core.errors import ExecutorError, StorageError, TransferError
from tl_core.executors import Executor, Job
from tl_core.executors.local import watch
from tl_core.jobs import device_queue
from tl_core.machine import leases
from tl_core.machine.leases import Lease
from tl_core.machine.telemetry import Device, devices
from tl_core.runner import reconcile, service
from tl_core.runner.halving import Halving
from tl_core.runner.line import goes_before
from tl_core.runner.tracking import Follower
from tl_core.runner.warm_worker import WarmWorker
from tl_core.runs import deletion, disk_use, file_link
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.system import locks

TICK_SECONDS, SLEEP_SECONDS = 0.25, 5.0
"""How often it looks while something is to be done, and while nothing is. Whoever starts a run rings."""
IDLE_SECONDS = 900.0
"""A runner that nobody has rung and that had nothing to do for so long leaves."""
WATCHED_SECONDS = 24.0
"""How long after a page has said that it is open a run may be asked for on it at any moment. It says so three times as often;
where it lies in the background, browsers let it do so once a minute, and that is not enough."""
DEVICES_SECONDS = 30.0
"""How long what is known of the devices counts."""
RETRY_SECONDS = 10.0
"""How long a run waits for an executor that could not be reached."""
SETTLED_SECONDS = 15.0
"""A run that has trained for so long is no short one."""


def serve(home: Path, *, watched: bool = False) -> None:
    """Attend to `home` as its runner until it has been idle for long, or `home` is gone. The caller holds the runner's lock;
    `watched` says that a page is being looked at."""
    store = Store(home)
    with contextlib.suppress(StorageError):
        deletion.sweep(store)  # of who was killed while it deleted a run
    bell, runner = service.WakeUpPipe(home), Runner(store, watched=watched)
    rung = time.monotonic()
    try:
        while time.monotonic() - rung < IDLE_SECONDS and service.lock_file(home).exists():
            busy = runner.tick()
            rings = bell.wait(TICK_SECONDS if busy else SLEEP_SECONDS)
            if service.RETIRE in rings:
                return
            if service.WATCHED in rings:
                runner.hear_of_a_page()
            if busy or rings:
                rung = time.monotonic()
    finally:
        runner.close()
        bell.close()


class Runner:
    """What is done at each look."""

    def __init__(self, store: Store, *, watched: bool = False) -> None:
        self._store = store
        self._spare: WarmWorker | None = None
        self._follower, self._halving = Follower(store.home), Halving(store)
        self._retry_at: dict[str, float] = {}
        self._devices: Sequence[Device] = ()
        self._free: Sequence[Device] = ()
        self._studies: Sequence[float] = ()
        self._known_until = 0.0
        self._page_heard = -math.inf
        self._watched_until = time.monotonic() + WATCHED_SECONDS if watched else -math.inf

    def hear_of_a_page(self) -> None:
        """Assume that somebody looks at a page for `WATCHED_SECONDS`, where one was heard of within so many seconds
        before, too."""
        now = time.monotonic()
        if now - self._page_heard < WATCHED_SECONDS:
            self._watched_until = now + WATCHED_SECONDS
        self._page_heard = now

    def tick(self) -> bool:
        """Look after runs at work, launch what can be launched, keep a spare, and return whether anything is going on."""
        with contextlib.suppress(StorageError):  # a full disk now may not be full at the next look
            at_work = self._store.at_work()
            for run in at_work:
                self._try(self._look_after, run)
            self._halving.tend(busy=bool(at_work))
            self._free, self._studies = self._known_devices(), device_queue.waiting(self._store.home)
            for run in self._store.queue():
                self._try(self._launch_if_possible, run)
            at_work, queue = self._store.at_work(), self._store.queue()
            self._keep_spare(at_work, queue)
            self._follower.tend(bool(at_work or queue))
            return disk_use.measure(self._store) or bool(at_work or queue)
        return True

    def close(self) -> None:
        """Send the spare away."""
        if self._spare:
            self._spare.close()
            self._spare = None

    def _try(self, attend: Callable[[Run], None], run: Run) -> None:
        """Attend to `run`, and show what is wrong with it as its stage, to try it again later: no run stands in another one's
        way."""
        try:
            attend(run)
        except (TransferError, OSError) as error:
            self._retry_at[run.id] = time.monotonic() + RETRY_SECONDS
            self._store.record(run.id, [], stage=str(error))

    def _known_devices(self) -> Sequence[Device]:
        """Return the devices of this machine, asked for now and then only: a GPU's driver takes its time to answer."""
        if time.monotonic() > self._known_until:
            self._devices, self._known_until = devices(), time.monotonic() + DEVICES_SECONDS
        return self._devices

    def _look_after(self, run: Run) -> None:
        executor = executors.build(run.spec.executor)
        if not executor.shares_store:
            file_link.collect(self._store, run)
            run = self._store.run(run.id)
            file_link.tell(self._store, run)
        if run.state.at_work:
            reconcile.supervise(self._store, run, executor)
        if not executor.shares_store:
            self._let_go(self._store.run(run.id), executor)

    def _let_go(self, run: Run, executor: Executor) -> None:
        """Tell a process that sees no store that its run has left it behind, and the cluster, where it may still wait."""
        file_link.tell(self._store, run)
        if run.state in (State.PAUSED, State.CANCELLED):
            with contextlib.suppress(ExecutorError):
                executor.end(reconcile.job_of(self._store, run), at_once=True)

    def _launch_if_possible(self, run: Run) -> None:
        executor = executors.build(run.spec.executor)
        if self._retry_at.get(run.id, 0.0) > time.monotonic() or (executor.needs_device and not self._may_take_device(run)):
            return
        with contextlib.ExitStack() as held:
            lease = leases.take(self._store.home, self._free) if executor.needs_device else None
            if lease:
                held.callback(os.close, lease.descriptor)
            elif executor.needs_device:
                self._free = ()  # nobody behind it in the line needs to look
                return
            own = locks.hold(self._store.folder(run.id) / executors.LOCK)
            if own is not None:  # else the process of its last attempt is still leaving
                held.callback(os.close, own)
                self._launch(run, executor, own, lease)

    def _may_take_device(self, run: Run) -> bool:
        return bool(self._free) and all(goes_before(run, asked) for asked in self._studies)

    def _launch(self, run: Run, executor: Executor, own: int, lease: Lease | None) -> None:
        device = lease.device.id if lease else None
        started = self._store.change_state(
            run.id, (State.QUEUED,), State.STARTING, attempts=run.attempts + 1, device=device, handle=None, started=None
        )
        if not started:
            return
        job = reconcile.job_of(self._store, self._store.run(run.id))
        if lease:
            job = Job(**vars(job) | {"environment": {**job.environment, **lease.environment()}})
        try:
            handle = self._process(job, executor, (own, lease.descriptor) if lease else ())
        except ExecutorError as error:
            self._wait_for_executor(run, error)
        except (TransferError, OSError) as error:
            told = f"The process of this run could not be started ({error})."
            self._store.change_state(run.id, (State.STARTING,), State.FAILED, error=told, error_kind=type(error).__name__)
        else:
            self._store.record(run.id, [], handle=handle)

    def _process(self, job: Job, executor: Executor, held: tuple[int, ...]) -> str:
        """Return the handle of a process that does `job`: the spare's, where it fits."""
        spare = self._spare
        if spare and executor.shares_store and spare.fits(job):
            self._spare = None
            if spare.hand_over(job, held):
                return watch(spare.process)
        return executor.launch(job, held)

    def _wait_for_executor(self, run: Run, error: ExecutorError) -> None:
        self._retry_at[run.id] = time.monotonic() + RETRY_SECONDS
        # The next attempt is the same one: where the cluster heard of it after all, it is there already.
        self._store.change_state(run.id, (State.STARTING,), State.QUEUED, attempts=run.attempts)
        self._store.record(run.id, [], stage=str(error))

    def _keep_spare(self, at_work: Sequence[Run], queue: Sequence[Run]) -> None:
        """Keep a spare for the next run while one waits, or may be asked for on a page; it takes memory. None is started while a
        run itself starts, or has just begun, since it would take the processor from it."""
        if self._spare and self._spare.process.poll() is not None:
            self._spare = None
        if not queue and time.monotonic() > self._watched_until:
            self.close()
            return
        settled = all(run.running_seconds(time.time()) > SETTLED_SECONDS for run in at_work)
        soon = bool(queue) and all(run.state is not State.STARTING for run in at_work)
        if self._spare is None and (settled or soon) and WarmWorker.affordable():
            self._spare = WarmWorker(self._store.home)
