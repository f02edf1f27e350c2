"""Disks that are full, for real: a small file system in memory as the home of all runs."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ENDLESS, QUICK, CommandLine, end_processes_of, keep_run, settings_arguments, wait_until, write_images
from tests.tools.crashing import settled
from tests.tools.pages import PAGES, errors, opened
from tl_core.errors import StorageError
from tl_core.executors import LOCK
from tl_core.runner import control
from tl_core.runner.reconcile import reconcile
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.system import locks
from tl_core.system.settings import HOME_VARIABLE
from tl_core.training.train import train
from tl_core.ui import steps

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("opens_pages")]

MEGABYTES = 4


@pytest.fixture
def small_disk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of a few megabytes, and the home of runs on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        monkeypatch.setenv(HOME_VARIABLE, str(disk / "home"))
        yield disk
    finally:
        end_processes_of(disk / "home")
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(1024))
    assert os.statvfs(disk).f_bavail == 0


def stored_run(home: Path) -> Store:
    """A store with a finished run, which no process has open."""
    store = Store(home)
    keep_run(store, "before", State.DONE, correct=3, test_images=4, seconds=1.0)
    store.close()
    return store


@pytest.mark.full
def test_a_run_that_cannot_be_stored_does_not_start_and_the_others_can_be_read(small_disk: Path) -> None:
    home = small_disk / "home"
    stored_run(home)
    fill(small_disk)
    store = Store(home)
    with pytest.raises(StorageError, match=r"Free some space"):
        control.start(store, QUICK)
    assert [(run.id, run.accuracy) for run in store.runs()] == [("before", 0.75)]
    line = CommandLine(home)
    refused = line.run("train", *settings_arguments(QUICK))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("Error: ")
    assert "Free some space" in refused.err
    assert refused.err.count("\n") == 1
    listed = line.run("runs", "--json")
    assert (listed.code, listed.err) == (0, "")
    assert [(run["run_id"], run["accuracy"]) for run in listed.json] == [("before", 0.75)]
    assert [folder.name for folder in (home / "runs").iterdir()] == []


def test_a_run_that_died_on_a_full_disk_is_listed_before_it_can_be_buried(small_disk: Path) -> None:
    home = small_disk / "home"
    store = stored_run(home)
    keep_run(store, "dead", State.RUNNING)
    store.close()
    fill(small_disk)
    listed = CommandLine(home).run("runs", "--json")
    assert listed.code == 0
    assert [run["run_id"] for run in listed.json] == ["dead", "before"]
    (small_disk / "ballast").unlink()
    reconcile(Store(home))
    assert Store(home).run("dead").state is State.CRASHED


def test_a_disk_that_fills_during_a_run_ends_it_with_the_reason(small_disk: Path) -> None:
    home = small_disk / "home"
    store = stored_run(home)
    run_id = control.start(store, ENDLESS)
    wait_until(lambda: store.events(run_id, "step"))
    fill(small_disk)
    kept = len(store.events(run_id, "step"))

    def look() -> Run | None:
        """The page's view of it, on a disk where even the end may not be written until there is room."""
        run = store.run(run_id)
        if not locks.is_held(store.folder(run_id) / LOCK):
            (small_disk / "ballast").unlink(missing_ok=True)
        return None if run.state.alive else run

    end = wait_until(look)
    assert end.state in (State.FAILED, State.CRASHED)
    assert end.error
    assert "disk" in end.error or "space" in end.error
    assert len(store.events(run_id, "step")) >= kept
    assert store.run("before").accuracy == 0.75
    assert "Traceback" not in artifacts.read_log(store.folder(run_id))
    assert not (store.folder(run_id) / artifacts.RESULT).exists()


def test_a_result_that_does_not_fit_is_none(small_disk: Path) -> None:
    folder = small_disk / "folder"
    folder.mkdir()
    outcome = train(QUICK, lambda event: None)
    fill(small_disk)
    with pytest.raises(StorageError, match=r"cannot be written .*No space left on device.*Free some space"):
        artifacts.write_outcome(folder, outcome)
    assert list(folder.iterdir()) == []
    (small_disk / "ballast").unlink()
    artifacts.write_outcome(folder, outcome)
    assert artifacts.read_result(folder) == outcome.result


@pytest.mark.full
def test_a_disk_that_may_only_be_read_still_shows_its_runs(small_disk: Path) -> None:
    home = small_disk / "home"
    stored_run(home)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = Store(home)
    assert [run.id for run in store.runs()] == ["before"]
    with pytest.raises(StorageError, match="make the folder writable"):
        control.start(store, QUICK)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("full", [True, False], ids=["full", "read-only"])
def test_every_page_opens_on_a_disk_where_nothing_can_be_written(page: str, full: bool, small_disk: Path) -> None:
    stored_run(small_disk / "home")
    fill(small_disk) if full else subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    app = opened(page, run="before")
    assert app.title
    if page == steps.TRAIN.script:
        app.button(key="start").click().run()
        assert not app.exception
        assert "Free some space" in "".join(errors(app))


def test_data_that_may_only_be_read_is_enough(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = write_images(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "elsewhere"))
    store = Store()
    spec = QUICK.with_settings({"dataset": "image_folder"}).with_settings({"dataset.path": str(images)})
    end = settled(store, control.start(store, spec))
    end_processes_of(store.home)
    assert (end.state, end.error) == (State.DONE, None)
