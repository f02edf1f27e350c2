"""Runs in a real Ray cluster: a head and two workers of this machine, the real runner, the real Jobs API."""

import contextlib
import hashlib
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import h5py
import psutil
import pytest

from tests.helpers import ENDLESS, FEW_CROPS, QUICK, wait_until
from tests.tools.cluster import TOKEN, Cluster, free_port
from tests.tools.crashing import runner_of, settled
from tl_core import executors
from tl_core.errors import ExecutorError, SettingError
from tl_core.events import Activity
from tl_core.executors import Executor, Job, ray
from tl_core.groups.group import Group
from tl_core.groups.halving import LeftAt
from tl_core.runner import control, group_control
from tl_core.runner.reconcile import job_of
from tl_core.runs import artifacts, groups
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import PartSpec, RunSpec
from tl_core.system.settings import CACHE_VARIABLE, CHECKPOINT_VARIABLE, SPARE_VARIABLE

pytestmark = pytest.mark.cluster

pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")

WORKERS = ("127.0.0.3", "127.0.0.4")
SURROUNDINGS = {SPARE_VARIABLE: "0", CHECKPOINT_VARIABLE: "0.5"}
THERE = {"executor": "ray", "executor.python": sys.executable}
LONG = QUICK.with_settings({"strategy.epochs": 300})
"""A run that trains for some seconds."""


@pytest.fixture(scope="module")
def cluster(surroundings: None) -> Iterator[Cluster]:
    place = Path(tempfile.mkdtemp(prefix="ray"))
    cluster = Cluster(place)
    try:
        cluster.start_head()
        for ip in WORKERS:
            cluster.begin_worker(ip)
        wait_until(lambda: cluster.alive() == 3)
        yield cluster
    finally:
        cluster.close()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def store(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store whose runs leave the cluster when the test ends, however it ends."""
    point_to(cluster.address, monkeypatch)
    store = Store()
    yield store
    for run in store.at_work():
        with contextlib.suppress(ExecutorError):
            executor_of(run).end(job_of(store, run), at_once=True)


def point_to(address: str, patch: pytest.MonkeyPatch, token: str = TOKEN) -> None:
    """Have processes started from here send runs there, and keep checkpoints often."""
    for name, value in (SURROUNDINGS | {"RAY_ADDRESS": address, "RAY_AUTH_TOKEN": token}).items():
        patch.setenv(name, value)
    for name in ("no_proxy", "NO_PROXY"):
        patch.setenv(name, "127.0.0.1,127.0.0.2,localhost")


def there(spec: RunSpec, **settings: object) -> RunSpec:
    return spec.with_settings(THERE | {f"executor.{name}": value for name, value in settings.items()})


def executor_of(run: Run) -> Executor:
    return executors.build(run.spec.executor)


def weights(store: Store, run: Run) -> str:
    """A digest of all weights of the trained model."""
    with tempfile.TemporaryDirectory() as place:
        shutil.unpack_archive(store.folder(run.id) / artifacts.MODEL, place, "zip")
        found: list[bytes] = []
        with h5py.File(Path(place) / "model.weights.h5") as file:
            file.visititems(lambda name, item: found.append(item[()].tobytes()) if isinstance(item, h5py.Dataset) else None)
    return hashlib.sha256(b"".join(found)).hexdigest()


def workers_of(store: Store, run_id: str) -> list[psutil.Process]:
    """The processes that work on a run, on whatever machine of the cluster."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "work-apart" in process.cmdline() and str(store.folder(run_id)) in process.cmdline():
                found.append(process)
    return found


def steps(store: Store, run_id: str) -> list[int]:
    return [event.data["step"] for event in store.events(run_id, "step")]


def trained(store: Store, run_id: str) -> list[int]:
    """The steps of a run, once there are some."""

    def found() -> list[int]:
        run = store.run(run_id)
        assert run.state.alive, run.error
        return steps(store, run_id)

    return wait_until(found)


def kept(store: Store, run_id: str) -> Path:
    """The checkpoint of a run's first attempt, once there is one."""
    file = artifacts.attempt_folder(store.folder(run_id), 1) / artifacts.CHECKPOINT / "state.npz"
    trained(store, run_id)
    wait_until(file.exists)
    return file


def test_two_runs_side_by_side_give_what_a_run_on_this_machine_gives(cluster: Cluster, store: Store) -> None:
    run_ids = [control.start(store, there(QUICK)) for _ in range(2)]
    ends = [settled(store, run_id) for run_id in run_ids]
    here = settled(store, control.start(store, QUICK))
    assert [end.state for end in (*ends, here)] == [State.DONE] * 3, [end.error for end in ends]
    assert {(end.accuracy, end.test_digest, weights(store, end)) for end in (*ends, here)} == {
        (here.accuracy, here.test_digest, weights(store, here))
    }
    assert len({cluster.ask(f"/api/jobs/{end.handle}")["driver_node_id"] for end in ends}) == 2
    for end in ends:
        assert artifacts.read_result(store.folder(end.id)).test_correct == end.correct
        for kind in ("plan", "step", "epoch"):
            assert len(store.events(end.id, kind)) == len(store.events(here.id, kind)) > 0
        assert store.events(end.id, "telemetry")
        assert (end.done, end.stage) == (1.0, "")


@pytest.mark.full
def test_a_stop_ends_the_process_within_seconds(store: Store) -> None:
    run_id = control.start(store, there(ENDLESS))
    trained(store, run_id)
    asked = time.monotonic()
    control.stop(store, run_id)
    assert settled(store, run_id).state is State.CANCELLED
    wait_until(lambda: not workers_of(store, run_id))
    assert time.monotonic() - asked < 10


@pytest.mark.full
def test_a_process_that_does_not_listen_is_ended_through_ray(store: Store) -> None:
    run_id = control.start(store, there(ENDLESS))
    trained(store, run_id)
    (process,) = workers_of(store, run_id)
    process.send_signal(signal.SIGSTOP)
    asked = time.monotonic()
    control.stop(store, run_id)
    assert settled(store, run_id).state is State.CANCELLED
    wait_until(lambda: not workers_of(store, run_id))
    assert time.monotonic() - asked < 10


def test_a_paused_run_goes_on_to_the_same_result(store: Store) -> None:
    interrupted, whole = (control.start(store, there(LONG)) for _ in range(2))
    trained(store, interrupted)
    control.pause(store, interrupted)
    assert settled(store, interrupted).state is State.PAUSED
    control.resume(store, interrupted)
    first, second = settled(store, interrupted), settled(store, whole)
    assert (first.state, second.state) == (State.DONE, State.DONE), (first.error, second.error)
    assert first.attempts == 2
    assert weights(store, first) == weights(store, second)
    assert steps(store, interrupted) == steps(store, whole)
    (resumed,) = store.events(interrupted, "resumed")
    assert resumed.data["step"] > 0


def test_a_group_is_halved_there_and_the_frozen_part_is_computed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two settings, one of which learns nothing, on a sound interpreter and on one that is not there."""
    pytest.importorskip("optuna", reason="Optuna is not installed")
    monkeypatch.setenv(CACHE_VARIABLE, str(store.home / "shared"))
    tuned = {"strategy": "last_blocks", "strategy.blocks": "last 1", "strategy.epochs": 2, "image_size": 32}
    axes = {"executor.python": [sys.executable, "/no such python"], "strategy.learning_rate": [0.01, 1e-9]}
    asked = {"name": "x", "base": FEW_CROPS | tuned | {"executor": "ray"}, "axes": axes, "successive_halving": True}
    kept = group_control.start(store, Group.parse(asked))
    better, worse, *broken = [settled(store, run_id) for run_id in groups.one(store, kept.group_id).runs]
    assert [run.state for run in broken] == [State.CRASHED] * 2
    better = wait_until(lambda: found if (found := store.run(better.id)).state is State.DONE else None)
    assert (better.attempts, len(store.events(better.id, "epoch"))) == (2, 2)
    assert store.run(worse.id).left_at == LeftAt(epochs=1, place=2, of=2, kept=1)
    (phase,) = artifacts.read_result(store.folder(better.id)).phases
    assert (phase.frozen_part.computed, phase.frozen_part.reused) == ({}, 48)  # its first attempt, or the other run, computed it


@pytest.mark.full
def test_a_run_that_waits_in_rays_queue_can_be_paused_and_stopped(store: Store) -> None:
    """Ray itself does not stop a job that has not begun."""
    run_id = control.start(store, there(QUICK, gpus=8))
    wait_until(lambda: store.run(run_id).stage == Activity.WAITING_FOR_CLUSTER and store.run(run_id).handle)
    assert store.run(run_id).state is State.STARTING
    control.pause(store, run_id)
    assert settled(store, run_id).state is State.PAUSED
    control.resume(store, run_id)
    wait_until(lambda: store.run(run_id).state is State.STARTING)
    control.stop(store, run_id)
    assert settled(store, run_id).state is State.CANCELLED


@pytest.mark.full
def test_an_interpreter_that_is_not_there_is_told(store: Store) -> None:
    run = settled(store, control.start(store, there(QUICK).with_settings({"executor.python": "/no such python"})))
    assert run.state is State.CRASHED
    assert "Ray says: Job entrypoint command failed with exit code 127" in str(run.error)
    assert "/no such python: not found" in artifacts.read_log(store.folder(run.id))


@pytest.mark.full
def test_an_attempt_launched_twice_is_one_process(cluster: Cluster, store: Store) -> None:
    folder = store.new_folder()
    artifacts.write_spec(folder, there(ENDLESS))
    job = Job(folder.name, 1, store.home, folder, {})
    executor = executors.build(there(ENDLESS).executor)
    assert executor.launch(job) == executor.launch(job) == f"{folder.name}-1"
    wait_until(lambda: workers_of(store, folder.name))
    assert executor.lives(job)
    assert len(workers_of(store, folder.name)) == 1
    executor.end(job, at_once=True)
    wait_until(lambda: not executor.lives(job))
    executor.end(job, at_once=True)  # it is gone, and that is no error
    assert not executor.forgot(job)
    assert executor.last_words(job) == "Ray says: Job was intentionally stopped."


def test_a_head_that_hangs_holds_nobody_up(cluster: Cluster, store: Store) -> None:
    job = Job("nobody", 1, store.home, store.folders, {})
    executor = executors.build(PartSpec(**there(QUICK).executor.model_dump()))
    cluster.signal(cluster.head_ip, signal.SIGSTOP)
    try:
        for most in (4.0, 0.1):
            asked = time.monotonic()
            with pytest.raises(ExecutorError, match=r"^The Ray cluster does not answer \(timed out\)\. .* Received: http"):
                executor.lives(job)
            assert time.monotonic() - asked < most
    finally:
        cluster.signal(cluster.head_ip, signal.SIGCONT)
    wait_until(lambda: known(executor, job))
    assert executor.last_words(job) == "Ray has forgotten this run: its head was restarted."


def known(executor: Executor, job: Job) -> bool:
    with contextlib.suppress(ExecutorError):
        return not executor.lives(job)
    return False


def test_without_the_token_nobody_gets_in(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    point_to(cluster.address, monkeypatch, token="another one")
    job = Job("nobody", 1, Path("/nowhere"), Path("/nowhere/nobody"), {})
    with pytest.raises(ExecutorError, match=r"does not let this machine in \(HTTP Error 403: Forbidden\)\. Give the token"):
        executors.build(PartSpec(name="ray")).lives(job)


@pytest.mark.full
def test_a_restarted_head(cluster: Cluster, store: Store) -> None:
    """What trained is told to have crashed and goes on from its checkpoint; what waited is sent again, and done once."""
    trains = control.start(store, there(ENDLESS))
    waits = control.start(store, there(QUICK, gpus=1))
    kept(store, trains)
    assert store.run(waits).state is State.STARTING
    cluster.kill(cluster.head_ip)
    wait_until(lambda: store.run(waits).stage.startswith("The Ray cluster does not answer (Connection refused)"))
    assert (store.run(trains).state, store.run(waits).state) == (State.RUNNING, State.STARTING)
    cluster.start_head()
    crashed = settled(store, trains)
    assert crashed.state is State.CRASHED
    assert "Ray has forgotten this run: its head was restarted." in str(crashed.error)
    for ip in WORKERS:
        cluster.kill(ip)
        cluster.begin_worker(ip, gpus=1)
    wait_until(lambda: cluster.alive() == 3)
    control.resume(store, trains)
    done = settled(store, waits)
    assert (done.state, done.attempts) == (State.DONE, 2)
    (resumed,) = wait_until(lambda: store.events(trains, "resumed"))
    wait_until(lambda: steps(store, trains)[-1] > resumed.data["step"])
    numbers = steps(store, trains)
    assert numbers == sorted(set(numbers))
    control.stop(store, trains)
    assert settled(store, trains).state is State.CANCELLED
    assert not list(store.folder(waits).glob("attempt-1/*.json"))


def test_a_killed_runner_is_not_missed(store: Store) -> None:
    run_id = control.start(store, there(LONG))
    trained(store, run_id)
    runner_of(store).kill()
    wait_until((store.folder(run_id) / "attempt-1" / artifacts.RESULT).exists)
    end = settled(store, run_id)
    assert (end.state, end.attempts) == (State.DONE, 1)
    assert steps(store, run_id) == sorted(set(steps(store, run_id)))
    assert len(store.events(run_id, "epoch")) == 300


def test_an_unreachable_head_leaves_the_run_in_the_queue(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    point_to(f"http://127.0.0.1:{port}", monkeypatch)
    store = Store()
    run_id = control.start(store, there(QUICK))
    assert wait_until(lambda: store.run(run_id).stage) == (
        "The Ray cluster does not answer (Connection refused). Start its head, or name the address of its dashboard in "
        f"RAY_ADDRESS. Received: http://127.0.0.1:{port}"
    )
    wait_until(lambda: store.run(run_id).state is State.QUEUED)
    control.stop(store, run_id)
    assert store.run(run_id).state is State.CANCELLED


@pytest.mark.full
@pytest.mark.parametrize("address", ["head:8265", "ray://head:10001", "http://", ""])
def test_an_address_that_is_none_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = r"must begin with http:// or https://, as in http://head:8265"
    with pytest.raises(SettingError, match=told):
        executors.build(PartSpec(name="ray", address=address))
    if address:
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(SettingError, match=rf"The variable RAY_ADDRESS {told}.*Received: {address}"):
            executors.build(PartSpec(name="ray")).lives(Job("nobody", 1, Path("/"), Path("/nobody"), {}))


class Listener(BaseHTTPRequestHandler):
    """Knows no job, and keeps the tokens that it is sent."""

    tokens: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_the_token_goes_only_to_the_address_that_it_came_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a page may name another address; the token is the operator's."""
    job = Job("nobody", 1, Path("/"), Path("/nobody"), {})
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for ours in (address, "http://127.0.0.1:9"):
            point_to(ours, monkeypatch, token="secret")
            assert not executors.build(PartSpec(name="ray", address=f"{address}/")).lives(job)
            time.sleep(ray.LOOK_SECONDS)
        server.shutdown()
    assert Listener.tokens == ["Bearer secret", None]


@pytest.mark.parametrize("gpus", [1.5, -1, 65])
def test_gpus_that_cannot_be_asked_for(gpus: float) -> None:
    with pytest.raises(SettingError):
        executors.build(PartSpec(name="ray", gpus=gpus))
