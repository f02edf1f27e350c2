"""Following a run from its store until it ends: the command line's view of what the Train page shows."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tl_core.analysis.statements import seconds
from tl_core.runs import service
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store

POLL_SECONDS = 0.25


def eta(run: Run, now: float) -> float | None:
    """Seconds until `run` ends, from the share of its work done and the time that took; None before there is
    enough to say it from. Starting Python is not in the rate."""
    if run.state is not State.RUNNING or run.done < 0.02:
        return None
    return run.running_seconds(now) / run.done * (1 - run.done)


def watch(store: Store, run_id: str, console: Console) -> Run:
    """Show a progress bar on `console` until the run has ended; gives the run as it ended."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=1.0, left="")
        while (run := store.run(run_id)).state.alive:
            left = eta(run, time.time())
            bar.update(
                task,
                completed=run.done,
                description=run.stage or "Starting",
                left="" if left is None else f"about {seconds(left)} left",
            )
            time.sleep(POLL_SECONDS)
            service.ensure(store.home)
    return run
