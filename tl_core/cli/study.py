"""The command that has a study answered: in the background, so that the page shows it too, and waited for."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from pydantic import TypeAdapter
from rich.progress import Progress
from rich.table import Table

from tl_core import studies
from tl_core.analysis.stage_titles import stage_title
from tl_core.analysis.statements import seconds as spoken
from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.format import STOPPED
from tl_core.cli.progress import Interrupts
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.errors import RunError
from tl_core.recipe import Recipe, changed
from tl_core.runs.store import Store
from tl_core.spec import PART_KINDS, PartSpec, RunSpec
from tl_core.studies import Study, StudyResult

R = TypeVar("R", bound=StudyResult)
POLL_SECONDS = 0.2
ABOUT = [kind for kind in PART_KINDS if kind != "executor"]
"""The kinds of parts that a study may be about: where a run's process lives is none of them."""


@app.command()
@says_what_is_wrong
@with_parts(*ABOUT)
def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study; see: python -m tl_core parts")],
    *,
    parts: Parts,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Answer a study about a dataset, a backbone and a strategy, and wait for the result. Ctrl-C ends it."""
    given = chosen(parts, settings)
    own = {key.partition(".")[2]: value for key, value in given.items() if key.startswith("study.")}
    part = studies.build(PartSpec.model_validate(own | {"name": name}))
    recipe = Recipe.of(changed(RunSpec(), {key: value for key, value in given.items() if not key.startswith("study.")}))
    tell(part, answered(part, recipe), as_json=as_json)


def tell(part: Study[R], found: R, *, as_json: bool) -> None:
    """Print what a study has found: its table and what follows from it, or both as JSON with all that it knows."""
    rows = list(part.rows(found))
    if as_json:
        result = TypeAdapter(type(found)).dump_python(found, mode="json", exclude={*UNTOLD})
        print_json({"study": part.name, "rows": rows, "conclusion": part.conclusion(found), **result})
        return
    print_rows(rows)
    if said := part.conclusion(found):
        out.print(said)
    out.print(f"Answered in {spoken(found.seconds)}.")


UNTOLD = ("stage", "place", "images_per_second", "finished", "error")
"""Fields of a result that say nothing of one that has ended well."""


def answered(part: Study[R], recipe: Recipe) -> R:
    """Return what a study finds, after a progress bar on standard error. Raises `TransferError`; Ctrl-C ends the study and raises
    `typer.Exit`."""
    part.require_suitable(recipe)
    home, before, asked = Store().home, None, False
    with Interrupts() as interrupts, Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Starting", total=1.0)
        try:
            while part.is_at_work(home, recipe):  # for somebody else, with other settings it may be
                bar.update(task, description="Waiting for the one that is at work")
                _pause(interrupts)
            before = part.read(home, recipe)
            part.request(home, recipe)
            asked = True
            while part.is_at_work(home, recipe):
                if (now := part.read(home, recipe)) is not None:
                    bar.update(task, completed=now.share, description=described(now))
                _pause(interrupts)
        except KeyboardInterrupt:
            if asked:
                part.cancel(home, recipe)
            err.print("Stopped.")
            raise typer.Exit(STOPPED) from None
    found = part.read(home, recipe)
    if found is None or found == before:
        raise RunError("The process that was to answer has gone.", "Ask again.")
    if found.error:
        raise RunError(found.error)
    return found


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of a study as a table; nothing where there are none."""
    if rows:
        table = Table(*(column.replace("_", " ").capitalize() for column in rows[0]), box=None)
        for row in rows:
            table.add_row(*map(text, row.values()))
        out.print(table)


def _pause(interrupts: Interrupts) -> None:
    time.sleep(POLL_SECONDS)
    interrupts.check()


def described(now: StudyResult) -> str:
    """Return what a study does now, for people."""
    return stage_title(now.stage) if now.place is None else f"Waiting for a device, place {now.place} in the queue"


def text(value: Any) -> str:
    """Return a number or a text of a row, for people: shares and seconds to four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
