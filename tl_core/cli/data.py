"""The commands that bring data and look at them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from tl_core.checks.advice import advice, told_all
from tl_core.checks.report import KINDS
from tl_core.checks.scan import examine as look
from tl_core.cli.console import AsJson, app, err, out, print_json, says_what_is_wrong
from tl_core.cli.settings import Parts, Settings, chosen, with_parts
from tl_core.data import exclusions
from tl_core.data.formats import uploads
from tl_core.errors import DataError, SettingError, printable
from tl_core.notes import sentences
from tl_core.recipe import Recipe, changed
from tl_core.runs.store import Store
from tl_core.spec import RunSpec

LeaveOut = Annotated[
    list[str] | None,
    typer.Option(metavar=",".join(KINDS), help="Leave these kinds out: keep the list and print the setting that names it."),
]


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
    for note in sentences(upload.notes):
        err.print(printable(note), markup=False, highlight=False)
    out.print(str(upload.folder), soft_wrap=True, markup=False, highlight=False)


@app.command()
@says_what_is_wrong
@with_parts("dataset", "task")
def examine(*, parts: Parts, settings: Settings = None, leave_out: LeaveOut = None, as_json: AsJson = False) -> None:
    """Look at every example of a dataset: what is broken, double, leaked or uneven."""
    kinds = _kinds(leave_out)
    recipe = Recipe.of(changed(RunSpec(), chosen(parts, settings)))
    data, thing, home = recipe.dataset.read(recipe.seed), recipe.dataset.thing, Store().home
    notes = list(sentences(data.notes))
    if recipe.dataset.left_out is not None:
        exclusions.kept(home, recipe.dataset.left_out)
        notes.append(told_all(thing))
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"Looking at the {thing}", total=1.0)
        report = look(data, lambda done, images: bar.update(task, completed=done / images), thing)
    leaving = report.to_leave_out(*kinds)
    listed = exclusions.keep(home, leaving) if leaving else None
    if as_json:
        print_json(asdict(report) | {"notes": notes, "advice": [asdict(each) for each in advice(report)], "left_out": listed})
        return
    notes += (f"{'Mend' if each.fix else 'Note'}: {each.text}" for each in advice(report))
    if leaving:
        left = sum(len(examples) - len(leaving.rest(split, examples)) for split, examples in data.splits.items())
        notes.append(f"Left out: {left:,} of {report.examined:,} {thing}. Use the others with --set dataset.left_out={listed}")
    elif kinds:
        notes.append("There is nothing of these kinds to leave out.")
    elif offered := [kind for kind in KINDS if report.to_leave_out(kind)]:
        notes.append(f"With --json all of them are named. Leave them out with --leave-out {','.join(offered)}.")
    for each in (*notes, f"{report.examined:,} {thing}, {len(report.broken):,} broken, {report.copies():,} copies."):
        out.print(printable(each), soft_wrap=True, markup=False, highlight=False)


def _kinds(texts: Sequence[str] | None) -> list[str]:
    """Return the kinds named in `texts`, with commas between them. Raises `SettingError` for one that is none."""
    named = [kind.strip() for text in texts or () for kind in text.split(",")]
    if not set(named) <= set(KINDS):
        raise SettingError(
            "There is no such kind to leave out.", f"Name some of {','.join(KINDS)}.", received=",".join(texts or ())
        )
    return named
