"""The command line: `python -m tl_core`. It reads and writes the same store as the pages."""

import contextlib
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tl_core import backbones, datasets, strategies
from tl_core.analysis.statements import interval_of, percent
from tl_core.errors import RunError, SettingError, TransferError
from tl_core.runs import control
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.runs.watching import watch
from tl_core.spec import RunSpec

USER_MISTAKE, OUR_FAULT, STOPPED = 2, 1, 130
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Transfer learning, measured.")
# A pipe has no width of its own, and a run's id cut short is of no use to whoever reads it there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False)

Name = Annotated[str | None, typer.Option(help="Name of the part; see: python -m tl_core parts")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def says_what_is_wrong(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose `TransferError` becomes one sentence (or one JSON object) and exit code 2."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except TransferError as error:
            if kwargs.get("as_json"):
                print_json(summary(None) | {"error": str(error)})
            else:
                err.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True)
            raise typer.Exit(USER_MISTAKE) from None

    return guarded


@app.command()
@says_what_is_wrong
def train(
    *,
    dataset: Name = None,
    backbone: Name = None,
    strategy: Name = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting by its dotted name: --set dataset.path=DIR")
    ] = None,
    spec: Annotated[Path | None, typer.Option(help="A JSON file with a whole run; other options change it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train one model in a process of its own, and wait for its test accuracy."""
    named = {"dataset": dataset, "backbone": backbone, "strategy": strategy}
    base = RunSpec.read(spec) if spec else RunSpec()
    chosen = {name: value for name, value in named.items() if value} | dict(map(assignment, settings or []))
    store = Store()
    run_id = control.start(store, base.with_settings(chosen))
    try:
        run = watch(store, run_id, err)
    except KeyboardInterrupt:
        with contextlib.suppress(RunError):  # it has just ended by itself
            control.stop(store, run_id)
        run = watch(store, run_id, err)
    if as_json:
        print_json(summary(run))
    else:
        (out if run.state is State.DONE else err).print(headline(run), soft_wrap=True)
    raise typer.Exit(exit_code(run))


@app.command()
@says_what_is_wrong
def runs(as_json: AsJson = False) -> None:
    """List every run, the newest first, whoever started it."""
    store = Store()
    control.reconcile(store)
    found = store.runs()
    if as_json:
        print_json([summary(run) | {"spec": run.spec.model_dump(mode="json"), "created": run.created} for run in found])
        return
    table = Table(
        Column("Run", no_wrap=True), "State", "Dataset", "Backbone", "Strategy", "Test accuracy", "Seconds", "Trainable", box=None
    )
    for run in found:
        parts = (run.spec.dataset.name, run.spec.backbone.name, run.spec.strategy.name)
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        trainable = "" if run.trainable_parameters is None else f"{run.trainable_parameters:,}"
        table.add_row(run.id, run.state, *map(escape, parts), accuracy_of(run), seconds, trainable)
    out.print(table if found else "No runs yet. Make one with: python -m tl_core train")


@app.command()
def parts() -> None:
    """List datasets, backbones and strategies with their settings."""
    for registry in (datasets.datasets, backbones.backbones, strategies.strategies):
        for name, part in registry.parts().items():
            out.print(f"[bold]{registry.kind} {name}[/]  {escape(part.summary())}", soft_wrap=True)
            for field, declared in part.model_fields.items():
                text = f"    --set {registry.kind}.{field}={declared.default}  {declared.description}"
                out.print(escape(text), soft_wrap=True, style="dim")


@app.command(hidden=True)
@says_what_is_wrong
def work(run_id: str) -> None:
    """Do one stored run in this process."""
    from tl_core.runs.worker import work as do

    do(run_id)


@app.command(hidden=True)
@says_what_is_wrong
def probe(backbone: str, image_size: int) -> None:
    """Measure one backbone (a JSON part) on this machine and keep its outline."""
    from tl_core.runs.probing import measure

    measure(Store().home, backbone, image_size)


def assignment(text: str) -> tuple[str, str]:
    """`name=value` as a pair; raises `SettingError` where there is no equals sign."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingError("A setting is written name=value.", "For example: --set image_size=96", received=text)
    return name, value


def summary(run: Run | None) -> dict[str, Any]:
    """What `--json` prints of a run."""
    interval = interval_of(run) if run else None
    return {
        "run_id": run and run.id,
        "state": run and run.state,
        "accuracy": run and run.accuracy,
        "accuracy_interval": interval and [interval.low, interval.high],
        "seconds": run and run.seconds,
        "trainable_parameters": run and run.trainable_parameters,
        "error": run and run.error,
    }


def headline(run: Run) -> str:
    """How a run ended, for people."""
    if run.state is not State.DONE:
        return f"Run {run.id} is {run.state}. {escape(run.error or '')}".strip()
    return (
        f"Run {run.id}\n"
        f"Test accuracy {accuracy_of(run)} of {run.test_images:,} images, 95% interval\n"
        f"{run.seconds:.1f} s, {run.trainable_parameters:,} of {run.total_parameters:,} parameters trained"
    )


def accuracy_of(run: Run) -> str:
    """The accuracy in percent with its interval; empty where there is none."""
    interval = interval_of(run)
    return "" if interval is None or run.accuracy is None else percent(run.accuracy, interval)


def exit_code(run: Run) -> int:
    """0 for a finished run, 2 where the user can mend it, 130 for a stop, 1 for a fault."""
    if run.state is State.DONE:
        return 0
    if run.state is State.CANCELLED:
        return STOPPED
    return OUR_FAULT if run.error_kind in {"InternalError", "Crash"} else USER_MISTAKE


def print_json(value: Any) -> None:
    """JSON alone on standard output."""
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    app()
