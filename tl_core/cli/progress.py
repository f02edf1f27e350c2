"""Following a run from its store until it ends: the command line's view of what the Train page shows."""

import signal
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tl_core.analysis.stage_titles import stage_title
from tl_core.analysis.statements import seconds
from tl_core.runner import service
from tl_core.runs.eta import eta
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store

POLL_SECONDS = 0.25


def _before_it_speaks(store: Store, run: Run) -> str:
    """Return what to show of a run that says nothing of itself yet."""
    ahead = [other.id for other in store.queue()] if run.state is State.QUEUED else []
    return f"Waiting, place {1 + ahead.index(run.id)} in the queue" if run.id in ahead else "Starting"


class Interrupts:
    """Ctrl-C while this is entered is remembered, and raised where it is asked for.

    Python raises `KeyboardInterrupt` wherever the process is; within a callback of the import system or of the garbage
    collector it is printed and lost.
    """

    def __init__(self) -> None:
        self._pressed = False
        self._former: Any = None

    def __enter__(self) -> Self:
        self._former = signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._former)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._pressed = True

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C was pressed since the last time."""
        if self._pressed:
            self._pressed = False
            raise KeyboardInterrupt


def watch(store: Store, run_id: str, console: Console, interrupts: Interrupts) -> Run:
    """Show a progress bar on `console` until the run has ended, and return the run as it ended. Raises `KeyboardInterrupt`."""
    with _bar(console) as bar:
        task = bar.add_task("Starting", total=1.0, left="")
        while (run := store.run(run_id)).state.alive:
            left = eta(run, time.time())
            bar.update(
                task,
                completed=run.done,
                description=stage_title(run.stage, run.done) or _before_it_speaks(store, run),
                left="" if left is None else f"about {seconds(left)} left",
            )
            time.sleep(POLL_SECONDS)
            interrupts.check()
            service.ensure(store.home)
    return run


def watch_all(store: Store, run_ids: Sequence[str], console: Console, interrupts: Interrupts) -> list[Run]:
    """Show a progress bar on `console` until none of several runs moves on by itself, and return them. Raises
    `KeyboardInterrupt`."""
    with _bar(console) as bar:
        task = bar.add_task("", total=len(run_ids), left="")
        while True:
            wanted = set(run_ids)
            runs = {run.id: run for run in store.runs() if run.id in wanted}  # one that was deleted meanwhile is none of them
            alive = [run for run in runs.values() if run.state.alive]
            ended = len(runs) - len(alive)
            bar.update(task, completed=ended + sum(run.done for run in alive), description=f"{ended} of {len(runs)} runs")
            if not alive:
                return [runs[run_id] for run_id in run_ids if run_id in runs]
            time.sleep(POLL_SECONDS)
            interrupts.check()
            service.ensure(store.home)


def _bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
