"""The line for a GPU: nobody is refused, who asked first goes first, and runs stand in the same line."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import QUICK, keep_run, wait_until
from tl_core.jobs import device_queue
from tl_core.machine import leases
from tl_core.machine.leases import Lease
from tl_core.machine.telemetry import Device
from tl_core.runner import runner, service
from tl_core.runner.line import goes_before, runs_before
from tl_core.runner.runner import Runner
from tl_core.runs.schema import Priority
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.system import locks
from tl_core.system.settings import LEASES_VARIABLE

GPU = Device("GPU-0", "NVIDIA H100, 80 GB", is_gpu=True)


@pytest.fixture(autouse=True)
def one_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has one GPU, which nobody else knows of."""
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "gpus"))
    monkeypatch.setattr(device_queue, "LOOK_SECONDS", 0.01)
    for module in (device_queue, runner):
        monkeypatch.setattr(module, "devices", lambda: [GPU])


class Waiting(threading.Thread):
    """Somebody who waits, and keeps every place that is told."""

    def __init__(self, home: Path, runs: Callable[[float], int] = lambda asked: 0) -> None:
        super().__init__(daemon=True)
        self.places: list[int] = []
        self.lease: Lease | None = None
        self._home, self._runs = home, runs
        self.start()
        wait_until(lambda: self.places or not self.is_alive())

    def run(self) -> None:
        self.lease = device_queue.wait(self._home, self._runs, self.places.append)


def test_a_processor_is_not_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_queue, "devices", lambda: [Device("cpu", "CPU", is_gpu=False)])
    assert device_queue.wait(home, lambda asked: 5, lambda place: None) is None
    assert not (home / "waiting").exists()


def test_who_asked_first_goes_first(home: Path) -> None:
    held = leases.take(home, [GPU])
    assert held
    first, second = Waiting(home), Waiting(home)
    assert (first.places[-1], second.places[-1]) == (1, 2)
    assert len(device_queue.waiting(home)) == 2
    os.close(held.descriptor)
    first.join()
    assert first.lease
    assert first.lease.environment() == {"CUDA_VISIBLE_DEVICES": "GPU-0"}
    wait_until(lambda: second.places[-1] == 1)
    assert second.lease is None
    os.close(first.lease.descriptor)
    second.join()
    assert second.lease
    assert not device_queue.waiting(home)
    os.close(second.lease.descriptor)


def test_who_was_killed_waits_no_longer(home: Path) -> None:
    (home / "waiting").mkdir(parents=True)
    dead = home / "waiting" / f"{1:020d}-1"
    dead.touch()
    alive = home / "waiting" / f"{2:020d}-2"
    held = locks.hold(alive)
    assert held is not None
    assert device_queue.waiting(home) == [2e-9]
    with device_queue._ticket(home):
        assert alive.exists()
        assert not dead.exists()
    os.close(held)
    assert device_queue.waiting(home) == []
    lease = device_queue.wait(home, lambda asked: 0, lambda place: None)
    assert lease
    assert not alive.exists()
    os.close(lease.descriptor)


def test_a_run_that_was_queued_before_goes_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda home: None)
    store = Store(home)
    keep_run(store, "early", spec=QUICK)
    study = Waiting(home, lambda asked: runs_before(store, asked))
    assert study.places[-1] == 2  # though the GPU is free: the runner is about to give it to the run
    (asked,) = device_queue.waiting(home)
    keep_run(store, "late", spec=QUICK)
    keep_run(store, "urgent", spec=QUICK)
    store.prioritise("urgent", Priority.HIGH)
    assert {run.id for run in store.runs() if goes_before(run, asked)} == {"early", "urgent"}
    held = leases.take(home, [GPU])
    assert held
    for run_id in ("early", "urgent"):
        store.change_state(run_id, (State.QUEUED,), State.CANCELLED)
    wait_until(lambda: study.places[-1] == 1)
    os.close(held.descriptor)
    study.join()
    assert study.lease
    os.close(study.lease.descriptor)


def test_a_run_that_cannot_start_holds_no_study_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_queue, "GRACE_SECONDS", 0.1)
    study = Waiting(home, lambda asked: 1)
    study.join()
    assert study.places[0] == 2
    assert study.lease
    os.close(study.lease.descriptor)


def test_the_runner_leaves_the_device_to_a_study_that_asked_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[str] = []
    monkeypatch.setattr(Runner, "_launch", lambda self, run, *rest: launched.append(run.id))
    monkeypatch.setattr(Runner, "_keep_spare", lambda self, *rest: None)
    held = leases.take(home, [GPU])
    assert held
    study, store = Waiting(home), Store(home)
    keep_run(store, "late", spec=QUICK)
    store.folder("late").mkdir(parents=True)
    waiting, line = Runner(store), device_queue.waiting(home)
    monkeypatch.setattr(device_queue, "waiting", lambda home: line)  # it stands there still when the GPU is free
    os.close(held.descriptor)
    study.join()
    assert study.lease
    os.close(study.lease.descriptor)
    waiting.tick()
    assert launched == []
    line.clear()
    waiting.tick()
    assert launched == ["late"]
