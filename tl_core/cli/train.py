"""Commands that start runs and follow them."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from tl_core.cli.console import PRIORITIES, AsJson, RunId, app, err, out, print_json, priority_named, says_what_is_wrong
from tl_core.cli.format import exit_code, headline, summary, told_evaluation
from tl_core.cli.progress import Interrupts
from tl_core.cli.progress import watch as follow
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.errors import RunError, SettingError
from tl_core.notes import sentences
from tl_core.recipe import changed
from tl_core.runner import control
from tl_core.runs import artifacts, compared, evaluations
from tl_core.runs.schema import Priority
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import PART_KINDS, RunSpec


@app.command()
@says_what_is_wrong
@with_parts(*PART_KINDS)
def train(
    *,
    parts: Parts,
    settings: Settings = None,
    spec: Annotated[Path | None, typer.Option(help="A JSON file with a whole run; other options change it.")] = None,
    like: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run whose settings to take; other options change them.")
    ] = None,
    priority: Annotated[
        Priority, typer.Option(parser=priority_named, metavar=PRIORITIES, help="A higher one goes first in the queue.")
    ] = "normal",  # type: ignore[assignment]  # typer parses the default too
    wait: Annotated[bool, typer.Option(help="Wait for the end; without, print the run's id and leave it in the queue.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train one model in a process of its own, as soon as a device is free, and wait for what its test says."""
    if spec is not None and like is not None:
        raise SettingError("Settings can be taken from a file or from a run, not from both.", "Leave out --spec or --like.")
    store = Store()
    base = store.run(store.named(like)).spec if like is not None else RunSpec.read(spec) if spec else RunSpec()
    run_id = control.start(store, changed(base, chosen(parts, settings)), priority=priority)
    if not wait:
        print_json(summary(store.run(run_id))) if as_json else out.print(run_id)
        return
    tell(store, ended(store, run_id), as_json=as_json)


def ended(store: Store, run_id: str) -> Run:
    """Return a run that this command has started, once it has come to an end; Ctrl-C stops it."""
    with Interrupts() as interrupts:
        try:
            return follow(store, run_id, err, interrupts)
        except KeyboardInterrupt:
            with contextlib.suppress(RunError):  # it has just ended by itself
                control.stop(store, run_id)
            return follow(store, run_id, err, interrupts)


@app.command()
@says_what_is_wrong
def watch(run: RunId, as_json: AsJson = False) -> None:
    """Follow a run until it ends or is paused. Ctrl-C leaves it alone."""
    with Interrupts() as interrupts:
        try:
            store = Store()
            tell(store, follow(store, store.named(run), err, interrupts), as_json=as_json)
        except KeyboardInterrupt:
            err.print("The run goes on.")


def tell(store: Store, run: Run, *, as_json: bool) -> None:
    """Say how a run ended, what its data lacked and how its training went, and leave with its exit code."""
    result = artifacts.read_result(store.folder(run.id)) if run.state is State.DONE else None
    notes, warnings = (sentences(result.notes), compared.warnings(run, result)) if result else ((), ())
    if as_json:
        others = list(map(told_evaluation, evaluations.read(store.folder(run.id))))
        fitted = [each.model_dump(mode="json") for each in result.thresholds] if result else []
        told = {"notes": notes, "warnings": warnings, "evaluations": others, "thresholds": fitted}
        print_json(summary(run) | told)
    else:
        (out if run.state is State.DONE else err).print(headline(run, notes, warnings), soft_wrap=True)
    raise typer.Exit(exit_code(run))
