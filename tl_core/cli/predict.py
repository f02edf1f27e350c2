"""The command that asks a finished run about pictures or texts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.markup import escape
from rich.table import Table

from tl_core.cli.console import AsJson, RunId, app, out, path_in, print_json, says_what_is_wrong
from tl_core.cli.study import answered, text
from tl_core.data.formats.pictures import bring
from tl_core.data.formats.written import is_path
from tl_core.datasets import Modality
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.runs.store import Run, Store
from tl_core.studies.prediction import GIVEN, SINGULAR, Prediction, PredictionResult, modality_of
from tl_core.system.files import write_whole

MOST_ROWS, MOST_TEXTS = 200, 12
"""So many rows are printed, and of so many texts it is told which words carried the decision; a file has all of them."""


def given_in(text: str) -> str:
    """Return what is given as it is. Raises `typer.BadParameter` for what is blank."""
    if not text.strip():
        raise typer.BadParameter("What is given is blank, as an unset variable leaves it. Name a file, or write a text.")
    return text


@app.command()
@says_what_is_wrong
def predict(
    run: RunId,
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS|TEXTS...", parser=given_in, help="Pictures, folders of them, archives; or texts, and files of them."
        ),
    ],
    *,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many classes are told of each.")] = 3,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=path_in, help="Write a table with a row for each, too.")
    ] = None,
    column: Annotated[str | None, typer.Option(metavar="NAME", help="The column of the texts in a table.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a finished run makes of pictures or texts, and which of them lie outside of what it was trained on."""
    store = Store()
    run_id = store.named(run)
    study = _study(store.run(run_id), given, top, column)
    found = answered(study, Recipe.of(store.run(run_id).spec))
    if csv is not None:
        _write(csv, pd.DataFrame(study.rows(found)))
    if as_json:
        name = f"{SINGULAR[found.modality]}s"
        facts = {each: getattr(found, each) and asdict(getattr(found, each)) for each in ("threshold", "fitted")}
        told = {name: [asdict(each) for each in found.examples]} | facts
        print_json({"run_id": run_id} | told | {"notes": list(sentences(found.notes))})
        return
    out.print(_table(study, found))
    for sentence in (*sentences(found.notes), study.conclusion(found), *study.trust(found)):
        out.print(escape(sentence), soft_wrap=True)


def _study(run: Run, given: Sequence[str], top: int, column: str | None) -> Prediction:
    """Return the question. Of a run of texts what is no path is a text itself."""
    if modality_of(run) is Modality.IMAGES:
        return Prediction(run_id=run.id, files=tuple(map(Path, given)), top=top)
    files = [Path(each) for each in given if is_path(each)]
    study = Prediction(run_id=run.id, files=tuple(files), top=top, shown=MOST_TEXTS, column=column)
    if lines := [" ".join(each.splitlines()) for each in given if not is_path(each)]:
        # A process cannot be told of long texts in its command.
        written = bring([("written.txt", "\n".join(lines).encode())], study.place(Store().home) / GIVEN)
        return study.model_copy(update={"files": (*written, *study.files)})
    return study


def _table(study: Prediction, found: PredictionResult) -> Table:
    rows = list(study.rows(found))
    table = Table(*(column.replace("_", " ").capitalize() for column in rows[0]), box=None)
    for row in rows[:MOST_ROWS]:
        table.add_row(*(escape("yes" if value is True else "" if value is False else text(value)) for value in row.values()))
    if len(rows) > MOST_ROWS:
        table.caption = f"{len(rows) - MOST_ROWS:,} more; --csv has all of them."
    return table


def _write(file: Path, table: pd.DataFrame) -> None:
    """Write a table. Raises `StorageError`."""
    write_whole(file, lambda path: table.to_csv(path, index=False))
