"""The runner: one for a home, whoever asks; it launches in order, hides the start of Python, and gives way to newer code."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.helpers import ENDLESS, HANGS_SECONDS, QUICK, ROOT, keep_run, processes_of, wait_until
from tests.tools.crashing import Watchman, kill, runner_of, settled, short_training
from tests.tools.driver import make_driver
from tests.tools.short_training import outcome
from tl_core import executors
from tl_core.cli import internal
from tl_core.events import Reporter
from tl_core.executors import LOG
from tl_core.result import Outcome
from tl_core.runner import control, service
from tl_core.runs import artifacts
from tl_core.runs.link import StoreLink
from tl_core.runs.recorder import BEAT_SECONDS
from tl_core.runs.states import State
from tl_core.runs.store import Priority, Run, Store
from tl_core.runs.worker import do
from tl_core.spec import RunSpec
from tl_core.system import locks
from tl_core.system.settings import LEASES_VARIABLE, SPARE_VARIABLE
from tl_core.training.checkpoints import Checkpoints

pytestmark = pytest.mark.process

ENSURE = """
import sys
from itertools import pairwise
from pathlib import Path
from tl_core.runner import service
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    service.ensure(Path(sys.argv[1]))
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    short_training(monkeypatch)
    return Store()


def runners(store: Store) -> list[psutil.Process]:
    return processes_of(store.home, "serve")


def the_spare(store: Store) -> psutil.Process:
    return wait_until(lambda: next(iter(processes_of(store.home, "spare")), None))


def short(epochs: int = 2) -> RunSpec:
    return QUICK.with_settings({"strategy.epochs": epochs})


def all_settled(store: Store, run_ids: list[str]) -> list[Run]:
    return [settled(store, run_id) for run_id in run_ids]


def test_of_many_who_want_a_runner_one_starts_it(store: Store) -> None:
    asking = [
        subprocess.Popen([sys.executable, "-c", ENSURE, str(store.home)], cwd=ROOT, stdin=-1, stdout=-1, text=True)
        for _ in range(5)
    ]
    for process in asking:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in asking:
        process.communicate("\n", timeout=HANGS_SECONDS)
    assert len(runners(store)) == 1
    assert service.is_there(store.home)


def test_runs_go_in_order_one_at_a_time_and_a_failure_holds_nobody_up(store: Store) -> None:
    with Watchman(store.home).on_guard():
        blocker = control.start(store, ENDLESS)
        wait_until(lambda: store.events(blocker, "step"))
        run_ids = [control.start(store, short(), priority=Priority(level)) for level in (0, -1, 0, 1)]
        broken = control.start(store, QUICK.with_settings({"strategy.batch_size": 7}), priority=Priority.HIGH)
        shutil.rmtree(store.folder(broken))  # its files are gone: it cannot even be locked
        control.move(store, run_ids[2], 1)
        assert [run.id for run in store.queue()] == [run_ids[index] for index in (2, 3)] + [broken, run_ids[0], run_ids[1]]
        control.stop(store, blocker)
        ends = all_settled(store, run_ids)
    assert {end.state for end in ends} == {State.DONE}
    order = sorted(ends, key=lambda end: end.started or 0)
    assert [end.id for end in order] == [run_ids[index] for index in (2, 3, 0, 1)]
    for earlier, later in pairwise(order):
        assert (earlier.ended or 0) <= (later.started or 0)
    assert "No such file" in store.run(broken).stage
    assert store.run(broken).state is State.QUEUED


def test_settings_of_another_version_hold_nobody_up(store: Store) -> None:
    stored, sound = control.start(store, short()), control.start(store, short())
    control.pause(store, stored)
    with sqlite3.connect(store.home / "store.sqlite") as database:
        database.execute("UPDATE runs SET spec = json_set(spec, '$.of_later', 1, '$.image_size', 'wide') WHERE id = ?", [stored])
    assert (run := store.run(stored)).unreadable
    assert (run.spec.image_size, run.spec.strategy.settings["epochs"]) == (RunSpec().image_size, 2)
    control.resume(store, stored)
    assert settled(store, sound).state is State.DONE
    end = settled(store, stored)
    assert (end.state, end.error, end.error_kind) == (State.FAILED, run.unreadable, "SettingError")


def test_two_gpus_work_at_the_same_time(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With two devices two runs are at work, each with its own. The driver is a stand-in."""
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "leases"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(make_driver(tmp_path)))
    run_ids = [control.start(store, short(40)) for _ in range(3)]
    wait_until(lambda: len(store.at_work()) == 2 and all(run.state is State.RUNNING for run in store.at_work()))
    first, second = store.at_work()
    assert first.device != second.device
    assert first.device and first.device.startswith("GPU-")
    assert [run.id for run in store.queue()] == [run_ids[2]]
    for run in (first, second):
        assert psutil.Process(int(run.handle or 0)).environ()["CUDA_VISIBLE_DEVICES"] == run.device
    assert {end.state for end in all_settled(store, run_ids)} == {State.DONE}


def test_trap_8_no_two_runs_share_a_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras gives no memory back between two trainings of one process; a process gives all of it back when it ends.

    They are real ones, on the backend of these tests: what they share would be Keras'."""
    monkeypatch.delenv("SHORT_TRAINING")
    first, second = all_settled(store, [control.start(store, QUICK) for _ in range(2)])
    assert first.state is second.state is State.DONE
    backends = [artifacts.read_result(store.folder(run.id)).versions["backend"] for run in (first, second)]
    assert backends == [os.environ.get("KERAS_BACKEND", "tensorflow")] * 2
    assert first.handle and second.handle and first.handle != second.handle
    serving = {str(process.pid) for process in runners(store)}
    assert not serving & {first.handle, second.handle}
    wait_until(lambda: not processes_of(store.home, "work"))


def test_trap_8_a_spare_takes_the_next_run_and_is_used_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    service.ensure(store.home, watched=True)
    spare = the_spare(store)
    run_id = control.start(store, short(40))
    wait_until(lambda: store.run(run_id).state is State.RUNNING)
    run = store.run(run_id)
    assert run.handle == str(spare.pid)
    assert os.getsid(spare.pid) == spare.pid  # a group of its own, that can be ended without the runner's
    control.stop(store, run_id)
    assert settled(store, run_id).state is State.CANCELLED
    wait_until(lambda: not psutil.pid_exists(spare.pid))
    second = control.start(store, short())
    assert settled(store, second).state is State.DONE
    assert store.run(second).handle != run.handle


def test_a_spare_does_a_real_run_and_prints_into_its_log(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    monkeypatch.delenv("SHORT_TRAINING")
    service.ensure(store.home, watched=True)
    spare = the_spare(store)
    end = settled(store, control.start(store, QUICK))
    assert (end.state, end.handle) == (State.DONE, str(spare.pid))
    assert (store.folder(end.id) / LOG).is_file()
    assert end.accuracy == artifacts.read_result(store.folder(end.id)).accuracy


def test_a_run_with_another_environment_does_not_take_the_spare(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Keras and its backend read when they are imported, the spare has read."""
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    service.ensure(store.home, watched=True)
    spare = the_spare(store)
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    run_id = control.start(store, short())
    end = settled(store, run_id)
    assert end.environment["TF_DETERMINISTIC_OPS"] == "1"
    assert end.state is State.DONE
    assert end.handle != str(spare.pid)


def test_a_killed_spare_costs_no_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    service.ensure(store.home, watched=True)
    spare = the_spare(store)
    kill(spare)
    assert settled(store, control.start(store, short())).state is State.DONE


def test_a_spare_goes_with_its_runner(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    service.ensure(store.home, watched=True)
    spare = the_spare(store)
    kill(runner_of(store))
    wait_until(lambda: not psutil.pid_exists(spare.pid))


def test_newer_code_takes_over_and_the_runs_do_not_notice(store: Store) -> None:
    run_id = control.start(store, short(60))
    wait_until(lambda: store.events(run_id, "step"))
    before = runner_of(store)
    (store.home / "runner.code").write_text("an older version")
    service.ensure(store.home)
    before.wait(timeout=HANGS_SECONDS)
    end = settled(store, run_id)
    assert (end.state, end.attempts) == (State.DONE, 1)
    assert service.is_there(store.home)


def test_a_paused_run_frees_its_device(store: Store) -> None:
    with Watchman(store.home).on_guard():
        first = control.start(store, ENDLESS)
        wait_until(lambda: store.events(first, "step"))
        second = control.start(store, short())
        control.pause(store, first)
        assert settled(store, second).state is State.DONE
        assert store.run(first).state is State.PAUSED
        control.resume(store, first)
        wait_until(lambda: store.run(first).state is State.RUNNING)
        assert store.run(first).attempts == 2
        control.stop(store, first)
        assert settled(store, first).state is State.CANCELLED


def test_a_cancelled_run_keeps_what_it_had_and_can_be_continued(store: Store) -> None:
    run_id = control.start(store, short(40))
    wait_until(lambda: store.events(run_id, "epoch"))
    control.stop(store, run_id)
    assert settled(store, run_id).state is State.CANCELLED
    assert store.events(run_id, "epoch")
    assert list((store.folder(run_id) / artifacts.CHECKPOINT).iterdir())
    control.resume(store, run_id)
    end = settled(store, run_id)
    assert end.state is State.DONE
    assert store.events(run_id, "resumed")


def test_a_run_killed_between_its_result_and_its_last_word_is_done(store: Store) -> None:
    done = settled(store, control.start(store, short()))
    shutil.copytree(store.folder(done.id), store.folder("a"))
    (store.folder("a") / artifacts.CHECKPOINT).mkdir(exist_ok=True)
    keep_run(store, "a", State.RUNNING)
    found = settled(store, "a")
    assert (found.state, found.accuracy, found.seconds) == (State.DONE, done.accuracy, done.seconds)
    assert found.accuracy is not None
    assert not (store.folder("a") / artifacts.CHECKPOINT).exists()


def test_a_result_that_cannot_be_read_is_none(store: Store) -> None:
    store.folder("a").mkdir()
    (store.folder("a") / artifacts.RESULT).write_text("{")
    keep_run(store, "a", State.RUNNING)
    assert settled(store, "a").state is State.CRASHED


def test_a_pause_that_comes_when_all_is_trained_lets_the_run_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(spec: RunSpec, report: Reporter, checkpoints: Checkpoints, **how: object) -> Outcome:
        control.pause(store, "a")
        time.sleep(3 * BEAT_SECONDS)
        return outcome(1, 0)

    monkeypatch.setattr("tl_core.training.train.train", train)
    store.folder("a").mkdir()
    artifacts.write_spec(store.folder("a"), QUICK)
    keep_run(store, "a", State.STARTING)
    held = locks.hold(store.folder("a") / executors.LOCK)  # as its process does, or the runner would bury it
    assert held is not None
    do(StoreLink(store, "a"))
    os.close(held)
    assert store.run("a").state is State.DONE


def test_who_rings_at_the_door_of_a_leaving_runner_is_heard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is queued when the runner looks no more, and holds its lock still."""
    lock = locks.hold(service.lock_file(store.home))
    assert lock is not None
    run_id = []
    monkeypatch.setattr("tl_core.runner.runner.serve", lambda home, watched: run_id.append(control.start(store, short())))
    internal.serve(lock)
    wait_until(lambda: store.run(run_id[0]).state is State.DONE)


def test_what_waits_stays_after_a_reboot_and_what_ran_can_be_resumed(store: Store) -> None:
    """After a reboot there is no process and no lock: the store alone is left."""
    keep_run(store, "ran", State.RUNNING, spec=short(), attempts=1)
    keep_run(store, "waits", spec=short())
    for name in ("ran", "waits"):
        store.folder(name).mkdir()
    assert settled(store, "waits").state is State.DONE
    assert store.run("ran").state is State.CRASHED
    control.resume(store, "ran")
    assert settled(store, "ran").state is State.DONE
