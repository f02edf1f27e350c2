"""What several test modules need."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from typer.testing import CliRunner

from tl_core.__main__ import app
from tl_core.runs import artifacts
from tl_core.runs.states import State, before
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system.settings import HOME_VARIABLE
from tl_core.testing.runs import ENDLESS, FEW_CROPS, HANGS_SECONDS, QUICK, SMALL_CNN, wait_until

__all__ = ["ENDLESS", "FEW_CROPS", "HANGS_SECONDS", "QUICK", "SMALL_CNN", "wait_until"]

ROOT = Path(__file__).parents[1]


def write_images(folder: Path, classes: int = 3, each: int = 6, size: int = 20) -> Path:
    """A dataset folder: `each` images in each of `classes` folders, every class in a brightness of its own."""
    rng = np.random.default_rng(0)
    for number in range(classes):
        below = folder / f"class{number}"
        below.mkdir(parents=True)
        for index in range(each):
            pixels = rng.integers(0, 60, (size, size, 3)) + number * 180 // max(1, classes - 1)
            Image.fromarray(pixels.astype(np.uint8)).save(below / f"{index}.png")
    return folder


@dataclass(frozen=True)
class Finished:
    """A command that has ended, and the home of its runs."""

    code: int
    out: str
    err: str
    home: Path

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON value and nothing else."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """`python -m tl_core`, in processes of its own, with runs kept below `home`."""

    home: Path

    def call(self, *arguments: object, **variables: str) -> Finished:
        """The command in this process, with the text and exit code of one of its own, which takes seconds to start."""
        done = CliRunner().invoke(app, list(map(str, arguments)), env={HOME_VARIABLE: str(self.home)} | variables)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Finished(done.exit_code, done.stdout, done.stderr, self.home)

    def start(self, *arguments: object, **variables: str) -> "subprocess.Popen[str]":
        """The process, at work."""
        return subprocess.Popen(
            [sys.executable, "-m", "tl_core", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {HOME_VARIABLE: str(self.home)} | variables,
        )

    def run(self, *arguments: object, **variables: str) -> Finished:
        """The process when it has ended."""
        process = self.start(*arguments, **variables)
        try:
            out, err = process.communicate(timeout=HANGS_SECONDS)
        finally:
            process.kill()
        return Finished(process.returncode, out, err, self.home)


def processes_of(home: Path, *kinds: str) -> list[psutil.Process]:
    """The processes that work for `home`, the runner first; with `kinds`, only those of these commands ("serve" is the
    runner, "spare" its spare, "work" a run, "probe" a probe)."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            wanted = "tl_core" in command and (not kinds or set(kinds) & set(command))
            if wanted and process.pid != os.getpid() and process.environ().get(HOME_VARIABLE) == str(home):
                found.append(("serve" not in command, process.pid, process))
    return [process for *_, process in sorted(found)]


def end_processes_of(home: Path) -> None:
    """Kill every process that works for `home`, each by its own id, until none is left."""
    while found := processes_of(home):
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
                process.wait(timeout=HANGS_SECONDS)


WAYS = {
    State.QUEUED: (),
    State.STARTING: (State.STARTING,),
    State.RUNNING: (State.STARTING, State.RUNNING),
    State.PAUSING: (State.STARTING, State.RUNNING, State.PAUSING),
    State.PAUSED: (State.PAUSED,),
    State.CANCELLING: (State.STARTING, State.CANCELLING),
    State.DONE: (State.STARTING, State.RUNNING, State.DONE),
    State.FAILED: (State.STARTING, State.FAILED),
    State.CANCELLED: (State.CANCELLED,),
    State.CRASHED: (State.STARTING, State.CRASHED),
}


def keep_run(store: Store, run_id: str, state: State = State.QUEUED, spec: RunSpec = QUICK, **values: Any) -> None:
    """A run in the store that has come to `state`, with `values` set by its last change."""
    store.create(run_id, spec)
    for to in WAYS[state]:
        assert store.change_state(run_id, before(to), to, **(values if to is state else {}))


def keep_outcome(store: Store, run_id: str, spec: RunSpec, left: Path, **values: Any) -> None:
    """A finished run in the store, with the files that lie in the folder `left`, and further `values` of `keep_run`."""
    keep_run(store, run_id, State.DONE, spec, **artifacts.summary(artifacts.read_result(left)), **values)
    shutil.copytree(left, store.folder(run_id))


def settings_arguments(spec: RunSpec) -> list[str]:
    """`spec` as options of the command line."""
    pairs = [f"{name}={'null' if value is None else value}" for name, value in spec.dotted().items()]
    return [part for pair in pairs for part in ("--set", pair)]


def python(code: str, *arguments: object, **variables: str) -> Finished:
    """`code` in a Python of its own, started in the repository's root."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
        timeout=HANGS_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, Path(os.environ[HOME_VARIABLE]))
