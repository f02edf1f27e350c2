"""Executors: where the process of a run lives. One module an executor; `local` is this machine."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tl_core.registry import Part, Registry


class Executor(Part):
    """Starts the process of a run."""

    @abstractmethod
    def launch(self, command: Sequence[str], home: Path, log: Path, lock: int) -> int:
        """Start `command` apart from this process, its output going to `log`, its store being the one in `home`,
        and give its process id.

        It inherits the file descriptor `lock` and thereby holds that lock until it ends, however it ends.
        Raises `StorageError` where the log cannot be made."""


executors: Registry[Executor] = Registry("executor", "tl_core.executors")
register = executors.register
build = executors.build
