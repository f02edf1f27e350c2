"""What every executor keeps to: the process stands apart, its output is kept, and it holds the lock while it lives."""

import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.helpers import wait_until
from tl_core import executors
from tl_core.errors import StorageError
from tl_core.executors import Executor
from tl_core.spec import PartSpec

PARTS = executors.executors.parts()
SLEEP = "import sys, time; print('at work', flush=True); time.sleep(300)"


@pytest.fixture(params=sorted(PARTS))
def executor(request: pytest.FixtureRequest) -> Executor:
    return PARTS[request.param].example()


def is_free(lock: Path) -> bool:
    """Whether nobody holds the lock."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def launch(executor: Executor, folder: Path, code: str) -> int:
    """`code` at work with the lock of `folder`; this process lets go of the lock."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return executor.launch([sys.executable, "-c", code], folder, folder / "log.txt", lock.fileno())


def test_describes_itself(executor: Executor) -> None:
    assert executor.title
    assert executor.summary().endswith(".")
    written = json.loads(json.dumps(executor.spec().model_dump()))
    assert executors.build(PartSpec(**written)) == executor


def test_the_process_stands_apart_and_holds_the_lock_until_it_is_killed(executor: Executor, tmp_path: Path) -> None:
    pid = launch(executor, tmp_path, SLEEP)
    try:
        wait_until(lambda: (tmp_path / "log.txt").read_text() == "at work\n")
        assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
        assert not is_free(tmp_path / "lock")
    finally:
        os.killpg(pid, signal.SIGKILL)
    wait_until(lambda: is_free(tmp_path / "lock"))
    wait_until(lambda: not psutil.pid_exists(pid))  # reaped: no zombie stays behind


def test_output_errors_and_a_crash_are_in_the_log(executor: Executor, tmp_path: Path) -> None:
    launch(executor, tmp_path, "import sys; print('out'); print('err', file=sys.stderr); raise SystemExit(3)")
    wait_until(lambda: is_free(tmp_path / "lock"))
    assert sorted((tmp_path / "log.txt").read_text().split()) == ["err", "out"]


def test_the_process_reads_nothing_and_runs_this_very_code(executor: Executor, tmp_path: Path) -> None:
    launch(executor, tmp_path, "import sys, tl_core; print(repr(sys.stdin.read()), tl_core.__file__)")
    wait_until(lambda: is_free(tmp_path / "lock"))
    assert (tmp_path / "log.txt").read_text().split() == ["''", str(Path(executors.__file__).parents[1] / "__init__.py")]


def test_a_log_that_cannot_be_made_is_told(executor: Executor, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"The log of the run cannot be made .*missing"):
        executor.launch([sys.executable, "-c", ""], tmp_path, tmp_path / "missing" / "log.txt", lock=-1)
