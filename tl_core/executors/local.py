"""A fresh process on this machine."""

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import tl_core
from tl_core.errors import StorageError
from tl_core.executors import Executor, register
from tl_core.settings import HOME_VARIABLE

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


@register("local")
class Local(Executor):
    """Runs on this machine, in a process and a session of its own, so that it outlives whoever started it."""

    title: ClassVar[str] = "This machine"

    def launch(self, command: Sequence[str], home: Path, log: Path, lock: int) -> int:
        try:
            output = log.open("ab")
        except OSError as error:
            raise StorageError(
                f"The log of the run cannot be made ({error}).", "Free some space on that disk.", received=log
            ) from error
        with output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**QUIET, **os.environ, HOME_VARIABLE: str(home), "PYTHONPATH": _search_path()},
                pass_fds=(lock,) if lock >= 0 else (),
                start_new_session=True,
            )
        threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
        return process.pid


def _search_path() -> str:
    """Where this very package lies, first: the run uses the code that started it."""
    return os.pathsep.join(filter(None, (str(Path(tl_core.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
