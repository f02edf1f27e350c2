"""Runs that are done by whoever asks for them, before they go on: for tests that are not about processes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tl_core.executors import Job
from tl_core.executors.local import Local
from tl_core.runner import service
from tl_core.runner.runner import Runner
from tl_core.runs.store import Store
from tl_core.runs.worker import work


def launch(executor: Local, job: Job, held: Sequence[int] = ()) -> str:
    """Do the job here and now; its handle is no process'."""
    work(job.run_id)
    return "0"


def attend(home: Path) -> None:
    """Do what the runner does at one look."""
    Runner(Store(home)).tick()


@pytest.fixture
def immediate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts or resumes a run finds it ended: queue, worker, training and store are real, and share this process."""
    monkeypatch.setattr(Local, "launch", launch)
    monkeypatch.setattr(service, "ensure", attend)
