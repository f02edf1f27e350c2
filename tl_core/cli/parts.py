"""Commands that show what there is."""

import time
from typing import Annotated

import typer
from rich.markup import escape

from tl_core.cli.console import RunId, app, out, says_what_is_wrong
from tl_core.registry import registries
from tl_core.runner import service
from tl_core.runs import artifacts
from tl_core.runs.store import Store

FOLLOW_SECONDS = 0.25
"""How often a log is looked at."""


@app.command()
@says_what_is_wrong
def logs(
    run: RunId,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends or is paused.")] = False,
) -> None:
    """Print what the process of a run has printed."""
    store = Store()
    run_id = store.named(run)
    text = artifacts.read_log(store.folder(run_id), lines)
    typer.echo(text) if text else None
    shown = artifacts.log_size(store.folder(run_id))
    alive = follow
    while alive:
        alive = store.run(run_id).state.alive  # before the log is read, so that its end is, too
        more, shown = artifacts.read_log_from(store.folder(run_id), shown)
        typer.echo(more, nl=False)
        if alive:
            service.ensure(store.home)
            time.sleep(FOLLOW_SECONDS)


@app.command()
@says_what_is_wrong
def parts() -> None:
    """List every part of every kind with its settings."""
    for registry in registries().values():
        for name, part in registry.parts().items():
            out.print(f"[bold]{registry.kind} {name}[/]  {escape(part.summary())}", soft_wrap=True)
            for field, declared in part.model_fields.items():
                text = f"    --set {registry.kind}.{field}={declared.default}  {declared.description}"
                out.print(escape(text), soft_wrap=True, style="dim")
