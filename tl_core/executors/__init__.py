"""Executors: where the process of a run lives. One module an executor; `local` is this machine."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tl_core.registry import Part, Registry

LOG, LOCK = "log.txt", "lock"


@dataclass(frozen=True)
class Job:
    """A run as its executor sees it.

    `attempt` counts from 1 how often a process was launched for the run. `handle` is what `launch` gave, None where it
    has given nothing yet. `environment` are the variables of whoever asked for the run that its process must see.
    """

    run_id: str
    attempt: int
    home: Path
    folder: Path
    environment: Mapping[str, str]
    handle: str | None = None

    @property
    def log(self) -> Path:
        """Return the file for what the process prints."""
        return self.folder / LOG

    @property
    def lock(self) -> Path:
        """Return the file that the process keeps locked while it lives."""
        return self.folder / LOCK


class Executor(Part):
    """Launches the process of a run, and can say whether it still lives."""

    needs_device: ClassVar[bool] = True
    """Whether the run needs the lease of a device of this machine; if not, the executor has a queue of its own."""
    shares_store: ClassVar[bool] = True
    """Whether the process writes into the store itself; if not, it leaves letters in the run's folder (`runs.mailbox`)."""

    @property
    def owns_gpus(self) -> bool:
        """Return whether the GPUs that its process sees are the run's alone, where this machine has leased it none."""
        return False

    @abstractmethod
    def launch(self, job: Job, held: Sequence[int] = ()) -> str:
        """Start the process of `job` apart from this one and return its handle.

        On this machine it inherits the file descriptors `held`, locked files, and thereby holds those locks until it ends,
        however it ends. Launching the same attempt twice starts one process. Raises `StorageError` where the log cannot be made
        and `ExecutorError` where the place cannot be reached.
        """

    @abstractmethod
    def lives(self, job: Job) -> bool:
        """Return whether a process may still be working on `job`. Raises `ExecutorError` where that cannot be known now."""

    @abstractmethod
    def end(self, job: Job, *, at_once: bool) -> None:
        """End the process and all that it started: asked to (SIGTERM), or `at_once` (SIGKILL). No error where it is gone.
        Raises `ExecutorError`."""

    def forgot(self, job: Job) -> bool:
        """Return whether it was lost before it began, so that it is to be launched again. Asked where `job` does not live."""
        return job.handle is None

    def last_words(self, job: Job) -> str:
        """Return what is known of how the process ended, as a sentence; empty where nothing is."""
        return ""


executors: Registry[Executor] = Registry("executor", "tl_core.executors")
register = executors.register
build = executors.build
