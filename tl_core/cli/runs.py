"""Commands about runs that wait or are at work."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from tl_core.analysis.stage_titles import stage_title
from tl_core.cli.console import PRIORITIES, AsJson, RunId, app, err, out, print_json, priority_named, says_what_is_wrong
from tl_core.cli.format import clocks, summary
from tl_core.errors import SettingError
from tl_core.runner import control, service
from tl_core.runs.states import State
from tl_core.runs.store import Priority, Run, Store


@app.command()
@says_what_is_wrong
def pause(run: RunId) -> None:
    """Make a run keep a checkpoint at its next batch and leave its device; hold a waiting one back."""
    store = Store()
    control.pause(store, run_id := store.named(run))
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def resume(run: RunId) -> None:
    """Queue a paused run again, or one that failed, crashed or was cancelled; it goes on from its last checkpoint."""
    store = Store()
    control.resume(store, run_id := store.named(run))
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def cancel(run: RunId) -> None:
    """End a run: at its next batch where it trains, at once where it waits."""
    store = Store()
    control.stop(store, run_id := store.named(run))
    _say(store, run_id)


@app.command()
@says_what_is_wrong
def queue(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A waiting run to move; else all are shown.")] = None,
    place: Annotated[int | None, typer.Option(min=1, help="Put it at this place; 1 is the next to run.")] = None,
    priority: Annotated[
        Priority | None,
        typer.Option(parser=priority_named, metavar=PRIORITIES, help="Give it this one, at the end of its like."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what runs and what waits, in order; or move a waiting run."""
    store = Store()
    if run is None and (place is not None or priority is not None):
        raise SettingError("A place or a priority is one run's.", "Say which: python -m tl_core queue RUN --place 1")
    if run is not None:
        run_id = store.named(run)
        if priority is not None:
            control.prioritise(store, run_id, priority)
        if place is not None:
            control.move(store, run_id, place)
    service.ensure(store.home)
    at_work, line = store.at_work(), store.queue()
    if as_json:
        print_json([summary(found) for found in (*at_work, *line)])
    elif at_work or line:
        out.print(_table(at_work, line))
    else:
        out.print("Nothing runs and nothing waits. Start a run with: python -m tl_core train")


def _table(at_work: list[Run], line: list[Run]) -> Table:
    table = Table(
        Column("Place", justify="right"),
        Column("Run", no_wrap=True),
        "State",
        "Priority",
        "Done",
        "Waited + ran",
        "Now",
        box=None,
    )
    for number, run in enumerate((*at_work, *line), start=1 - len(at_work)):
        place = str(number) if run.state is State.QUEUED else ""
        done, now = f"{100 * run.done:.0f} %", escape(stage_title(run.stage, run.done))
        table.add_row(place, run.id, run.state, run.priority.name.lower(), done, clocks(run), now)
    return table


def _say(store: Store, run_id: str) -> None:
    err.print(f"Run {run_id} is {store.run(run_id).state}.")
