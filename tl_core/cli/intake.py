"""The commands that bring data and look at them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.training import Name, Settings, assignment
from tl_core.datasets import uploads
from tl_core.errors import DataError, printable
from tl_core.examining.advice import advice
from tl_core.examining.looking import examine as look
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.spec import RunSpec


@app.command()
@says_what_is_wrong
def unpack(archive: Annotated[Path, typer.Argument(help="A zip or tar.gz with one folder of images a class.")]) -> None:
    """Unpack an archive, safely, beside the dashboard's other data, and print its folder: the dataset.upload of zip_upload."""
    try:
        with archive.open("rb") as file, Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("Unpacking", total=1.0)
            upload = uploads.keep(file, archive.name, Store().home, lambda share: bar.update(task, completed=share))
    except OSError as error:
        what = f"This archive cannot be opened ({error.strerror or 'it cannot be read'})."
        raise DataError(what, "Give the path of a zip or tar.gz.", received=archive) from None
    for note in upload.notes:
        err.print(printable(note), markup=False, highlight=False)
    out.print(str(upload.folder), soft_wrap=True, markup=False, highlight=False)


@app.command()
@says_what_is_wrong
def examine(*, dataset: Name = None, settings: Settings = None, as_json: AsJson = False) -> None:
    """Look at every example of a dataset: what is broken, double, leaked or uneven."""
    named = {"dataset": dataset} if dataset else {}
    recipe = Recipe.of(RunSpec().with_settings(named | dict(map(assignment, settings or []))))
    data, thing = recipe.dataset.read(recipe.seed), recipe.dataset.thing
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"Looking at the {thing}", total=1.0)
        report = look(data, lambda done, images: bar.update(task, completed=done / images), thing)
    if as_json:
        print_json(asdict(report) | {"advice": [asdict(each) for each in advice(report)]})
        return
    for note in data.notes:
        out.print(printable(note), markup=False, highlight=False)
    for each in advice(report):
        out.print(f"{'Mend' if each.fix else 'Note'}: {each.text}", markup=False, highlight=False)
    out.print(f"{report.examined:,} {thing}, {len(report.broken):,} broken, {report.copies():,} copies.", highlight=False)
