"""Processes that stand apart from whoever starts them, and outlive them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import tl_core
from tl_core.errors import StorageError
from tl_core.system.settings import HOME_VARIABLE

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
NOT_INHERITED = {"PYTHONOPTIMIZE", "PYTHONWARNINGS"}
"""Python's own variables that change what other people's packages do: OpenVINO reads docstrings, which `PYTHONOPTIMIZE=2` drops,
and where warnings are errors, a word about a later version of NumPy ends a run."""


class _Outliving(subprocess.Popen[bytes]):
    """A process that goes on when whoever started it is done with it, which is nothing to warn of: where warnings are errors,
    Python would print a traceback."""

    def __del__(self) -> None:
        super().__del__(_warn=lambda *_, **__: None)  # type: ignore[call-arg]  # as `subprocess` defines it


def spawn(
    arguments: Sequence[str], home: Path, log: Path, held: Sequence[int] = (), environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `python -m tl_core` in a session of its own and return the process. It runs the very code that starts it. Raises
    `StorageError` where the log cannot be made.

    Args:
        arguments: The command and its options.
        home: The folder of its store.
        log: The file to whose end its output goes.
        held: Descriptors that it inherits.
        environment: Variables that lie over those of whoever starts it, from which `NOT_INHERITED` are left out.
    """
    try:
        output = log.open("ab")
    except OSError as error:
        raise StorageError(
            f"The log of the run cannot be made ({error}).", "Free some space on that disk.", received=log
        ) from error
    with output:
        return _Outliving(
            [sys.executable, "-m", "tl_core", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**surroundings(), **(environment or {}), HOME_VARIABLE: str(home)},
            pass_fds=held,
            start_new_session=True,
        )


def surroundings() -> dict[str, str]:
    """Return the variables of a process of our own: those of this one but for `NOT_INHERITED`, and where this very package is."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return {**QUIET, **inherited, "PYTHONPATH": _search_path()}


def _search_path() -> str:
    """Return `PYTHONPATH` with the folder of this very package first."""
    return os.pathsep.join(filter(None, (str(Path(tl_core.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
