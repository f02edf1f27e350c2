"""Deleting runs: all or nothing is seen, whoever is killed, and nothing that works goes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import QUICK, ROOT, keep_run
from tl_core.errors import RunError, StorageError
from tl_core.events import Activity, Stage
from tl_core.executors import LOCK
from tl_core.runner.runner import Runner, serve
from tl_core.runs import artifacts, deletion, disk_use, labels
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system import locks

RAY = QUICK.with_settings({"executor": "ray"})


@pytest.fixture
def store() -> Store:
    return Store()


def keep(store: Store, run_id: str, state: State = State.DONE, spec: RunSpec = QUICK) -> Path:
    """A run with an event and with files, some below its folder; gives its folder."""
    keep_run(store, run_id, state, spec)
    store.record(run_id, [(1.0, Stage(Activity.TESTING, 0.5))], done=0.4)
    folder = store.folder(run_id)
    (folder / artifacts.CHECKPOINT).mkdir(parents=True)
    (folder / artifacts.CHECKPOINT / "state.npz").write_bytes(bytes(1000))
    (folder / artifacts.RESULT).write_text("{}")
    return folder


@pytest.mark.parametrize("spec", [QUICK, RAY], ids=["local", "ray"])
@pytest.mark.parametrize("state", State)
def test_what_works_is_not_deleted_and_anything_else_is_whole(state: State, spec: RunSpec, store: Store) -> None:
    folder, other = keep(store, "a", state, spec), keep(store, "b")
    if state.at_work:
        with pytest.raises(RunError, match=f"A run that is {state} cannot be deleted. Stop it first."):
            deletion.delete(store, "a", state)
        assert store.run("a").state is state
        assert (folder / artifacts.RESULT).exists()
        return
    deletion.delete(store, "a", state)
    assert [run.id for run in store.runs()] == ["b"]
    assert store.counts("a") == {}
    assert not folder.exists()
    assert (other / artifacts.RESULT).exists()
    with pytest.raises(RunError, match=r"This run was deleted\..*Received: a"):
        store.run("a")
    with pytest.raises(RunError, match="This run was deleted"):
        deletion.delete(store, "a", state)
    with pytest.raises(RunError, match="This run was deleted"):
        labels.rename(store, "a", "x")


def test_a_run_that_came_to_another_state_meanwhile_stays(store: Store) -> None:
    folder = keep(store, "a", State.PAUSED)
    assert store.change_state("a", (State.PAUSED,), State.QUEUED)
    with pytest.raises(RunError, match="This run was paused and is queued by now"):
        deletion.delete(store, "a", State.PAUSED)
    assert folder.exists()


def test_a_look_finds_what_was_deleted_and_misses_nothing_after_it(store: Store) -> None:
    for run_id in "abc":
        keep(store, run_id)
    look = store.changes(0)
    deletion.delete(store, "c", State.DONE)  # the one that changed last
    after = store.changes(look.revision)
    assert (after.runs, after.deleted) == ([], ["c"])
    labels.rename(store, "a", "x")
    store.create("d", QUICK)
    last = store.changes(after.revision)
    assert ([run.id for run in last.runs], last.deleted) == (["d", "a"], [])
    assert store.run("d").number > 3


def test_the_last_words_of_a_deleted_run_are_lost_and_no_error(store: Store) -> None:
    keep(store, "a")
    deletion.delete(store, "a", State.DONE)
    store.record("a", [(2.0, Stage(Activity.TESTING, 1.0))], done=1.0)
    assert store.counts("a") == {}
    assert store.runs() == []


DELETE = """
import os, shutil, signal, sys
from tl_core.runs import deletion
from tl_core.runs.states import State
from tl_core.runs.store import Store
shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
deletion.delete(Store(), "a", State.DONE)
"""


@pytest.mark.process
def test_what_a_killed_deletion_left_is_seen_by_nobody_and_goes_with_the_next_runner(store: Store) -> None:
    folder, other = keep(store, "a"), keep(store, "b")
    assert subprocess.run([sys.executable, "-c", DELETE], cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert folder.exists()
    assert [run.id for run in Store().runs()] == ["b"]
    deletion.sweep(store)
    assert not folder.exists()
    assert other.exists()


def test_a_runner_sweeps_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = keep(store, "a")
    store.delete("a", deletion.require_deletable)
    assert folder.exists()
    serve(store.home)  # whose lock is not there, so that it leaves at once
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove anything")
def test_files_that_stay_are_told(store: Store) -> None:
    folder = keep(store, "a")
    folder.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="The run is deleted, but not all of its files could be removed"):
            deletion.delete(store, "a", State.DONE)
    finally:
        folder.chmod(0o700)


def test_a_link_in_place_of_a_folder_is_told_and_what_it_leads_to_stays(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    keep(store, "a").rename(elsewhere)
    store.folder("a").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="not all of its files could be removed"):
        deletion.delete(store, "a", State.DONE)
    assert (elsewhere / artifacts.RESULT).exists()
    assert store.runs() == []


def test_it_is_said_what_is_lost(store: Store) -> None:
    keep(store, "a", State.PAUSED)
    keep(store, "b")
    keep_run(store, "c", State.FAILED)
    assert "It could go on from its checkpoint at 40 %. The checkpoint is lost." in deletion.losses(store, store.run("a"))
    assert "Its result, its predictions and its trained model are lost." in deletion.losses(store, store.run("b"))
    assert deletion.losses(store, store.run("c")) == ["Its settings, curves and log are lost. This cannot be undone."]


def test_the_use_of_the_disk_is_measured_once_at_rest(store: Store) -> None:
    folder = keep(store, "a", State.PAUSED)
    keep(store, "b", State.RUNNING)
    keep_run(store, "c", State.FAILED)  # without a folder
    assert disk_use.measure(store)
    assert [run.disk_bytes for run in store.runs()] == [0, None, 1002]
    (folder / "more").write_bytes(bytes(50))
    assert not disk_use.measure(store)
    assert store.run("a").disk_bytes == 1002
    assert store.change_state("a", (State.PAUSED,), State.QUEUED)
    assert store.run("a").disk_bytes is None
    assert store.change_state("a", (State.QUEUED,), State.PAUSED)
    Runner(store).tick()
    assert store.run("a").disk_bytes == 1052


def test_a_run_whose_process_is_still_leaving_is_measured_later(store: Store) -> None:
    folder = keep(store, "a")
    leaving = locks.hold(folder / LOCK)
    assert leaving is not None
    assert disk_use.measure(store)
    assert store.run("a").disk_bytes is None
    os.close(leaving)
    disk_use.measure(store)
    assert store.run("a").disk_bytes == 1002
