"""The command that asks a finished run about pictures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.markup import escape
from rich.table import Table

from tl_core.cli.console import AsJson, RunId, app, out, path_in, print_json, says_what_is_wrong
from tl_core.cli.study import answered, text
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies.prediction import Prediction, PredictionResult
from tl_core.system.files import write_whole

MOST_ROWS = 200
"""So many pictures are printed; a file has all of them."""


@app.command()
@says_what_is_wrong
def predict(
    run: RunId,
    pictures: Annotated[
        list[Path], typer.Argument(metavar="PATHS...", parser=path_in, help="Pictures, folders of pictures, archives.")
    ],
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many classes are told of each.")] = 3,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=path_in, help="Write a table with a row for each picture, too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a finished run sees in pictures, and which of them lie outside of what it was trained on."""
    store = Store()
    run_id = store.named(run)
    study = Prediction(run_id=run_id, pictures=tuple(pictures), top=top)
    found = answered(study, Recipe.of(store.run(run_id).spec))
    if csv is not None:
        _write(csv, pd.DataFrame(study.rows(found)))
    if as_json:
        facts = {"pictures": [asdict(each) for each in found.pictures], "threshold": found.threshold and asdict(found.threshold)}
        print_json({"run_id": run_id} | facts | {"notes": list(sentences(found.notes))})
        return
    out.print(_table(study, found))
    for sentence in (*sentences(found.notes), study.conclusion(found)):
        out.print(escape(sentence), soft_wrap=True)


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
