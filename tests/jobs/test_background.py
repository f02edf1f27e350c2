"""Background work: what is known while it grows, what stays when it is ended, and how it is ended."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers import wait_until
from tl_core.errors import DataError
from tl_core.jobs import background
from tl_core.jobs.background import ResultWriter
from tl_core.spec import RunSpec
from tl_core.system import locks


@dataclass(frozen=True)
class Counted:
    """A result that grows."""

    count: int = 0
    seconds: float = 0.0
    finished: bool = False
    error: str = ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "counted.json"


def test_the_last_result_stays_until_there_is_a_new_one(file: Path) -> None:
    ResultWriter(file, Counted()).carry_out(lambda: None, RunSpec())
    last = background.read(file, Counted)
    assert last
    assert last.finished
    held = locks.hold(file.with_suffix(".lock"))  # as the next process holds it
    assert held is not None
    ResultWriter(file, Counted()).update(count=3)
    growing = background.read(file, Counted)
    assert growing
    assert (growing.count, growing.finished) == (3, False)
    os.close(held)  # it was killed
    assert background.read(file, Counted) == last


def test_a_mistake_is_told_and_a_fault_has_its_sentence(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def mistaken() -> None:
        raise DataError("The folder is empty.", "Choose another one.")

    def broken() -> None:
        raise ZeroDivisionError("by zero")

    for work, said in ((mistaken, "The folder is empty."), (broken, "by zero")):
        ResultWriter(file, Counted()).carry_out(work, RunSpec())
        found = background.read(file, Counted)
        assert found
        assert said in found.error
    assert "Traceback" in capsys.readouterr().err


def test_what_is_not_at_work_cannot_be_cancelled(file: Path) -> None:
    background.cancel(file)
    file.with_suffix(".lock").write_text(str(os.getpid()))  # of a process that has ended; its number is ours by now
    background.cancel(file)
    assert not background.is_at_work(file)


@pytest.mark.process
def test_a_process_is_ended_and_its_result_is_the_one_before(home: Path, file: Path) -> None:
    background.write(file, Counted(count=7, finished=True))
    background.start(home, file, ["spare", "0"], Counted())  # it fails, or waits: it writes nothing
    background.cancel(file)
    wait_until(lambda: not background.is_at_work(file))
    assert background.read(file, Counted) == Counted(count=7, finished=True)
