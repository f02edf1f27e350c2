"""A table of numbers and words, one column of which is to be told from the others."""

import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import Field

from tl_core.data.formats.columns import is_filled, no_classes
from tl_core.data.texts import TableRows
from tl_core.datasets import Modality, register
from tl_core.datasets._table_data import LABELS, TableSource
from tl_core.datasets._user_data import Given
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath

if TYPE_CHECKING:
    import pandas as pd

MOST_NUMBERS, MOST_CLASSES = 100, 1000
"""A column of more different numbers is a quantity, and one of more different words a name or a sentence: neither is a class."""
MOST_VALUES = 10_000_000
"""They take some 100 bytes each while they are read."""


@register("csv_table")
class CsvTable(TableSource):
    """A table of your own: CSV, TSV or Parquet, whose target column is to be told from the other ones.

    A column of numbers is one feature, a column of words another; both may lack values. Tables can be looked at and split here;
    networks for them come later.
    """

    title: ClassVar[str] = "Table of numbers"
    listing_order: ClassVar[int] = 180
    modality: ClassVar[Modality] = Modality.TABLE
    thing: ClassVar[str] = "rows"

    path: ServerPath | None = Field(None, title="Table", description="A CSV, TSV or Parquet file with a row for each example.")
    target_column: str | None = Field(
        None, title="Target column", description="What is to be told; empty finds a column such as target or label."
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name, "table.csv"))

    def given(self) -> Given:
        notes = list[Note]()
        columns = self.columns(notes)
        target = columns.require(self.target_column, LABELS, "target", no_classes)
        _require_classes(target)
        aside = self.aside(columns)
        features = columns.others()
        received = printable(str(self.path))
        if not len(features.columns):
            raise DataError("The table has no column beside its target.", "Give one with features.", received=received)
        if features.size > MOST_VALUES:
            raise DataError(f"The table has more than {MOST_VALUES:,} values.", "Cut it into smaller ones.", received=received)
        if not is_filled(target).any():
            raise DataError("No row of the table has a target.", "Fill it in, or name another column.")
        free = aside.needing_none(len(target))
        usable = is_filled(target) | free
        notes += [Note(NoteKind.ROWS_WITHOUT_TARGET, (int((~usable).sum()),))] if not usable.all() else []
        make = partial(TableRows, *_columns(features[usable], notes))
        return self.split(target.mask(free, ""), aside, np.flatnonzero(usable), make, notes)


def _require_classes(target: "pd.Series[str]") -> None:
    """Raise `DataError` for a target that is no class."""
    found = target.str.strip().nunique()
    if found <= MOST_NUMBERS or (found <= MOST_CLASSES and _numbers(target) is None):
        return
    raise DataError(
        f"The column {printable(str(target.name))} has {found:,} different values, too many to be classes.",
        "Name another target column. To predict a quantity (regression) is not possible here yet.",
    )


def _numbers(values: "pd.Series[str]") -> list[float] | None:
    """Return the values as numbers, NaN where one is missing; None for words, and where all are missing."""
    import pandas as pd

    missing = ~is_filled(values)
    found = pd.to_numeric(values.mask(missing), errors="coerce")
    return found.astype(float).tolist() if (found.notna() | missing).all() and not missing.all() else None


def _columns(features: "pd.DataFrame", notes: list[Note]) -> tuple[tuple[str, ...], tuple[tuple[float | str, ...], ...]]:
    """Return the names of the columns, and the rows, and add to `notes` what is to be said of them. A column of
    which every value is a number, or missing, becomes numbers."""
    columns, words = list[Sequence[float | str]](), 0
    for name in features.columns:
        numbers = _numbers(features[name])
        columns.append(features[name].tolist() if numbers is None else numbers)
        words += numbers is None
        missing = int((~is_filled(features[name])).sum())
        if missing:
            notes.append(Note(NoteKind.MISSING_VALUES, (missing,), about=(printable(str(name)),)))
    notes.append(Note(NoteKind.COLUMN_TYPES, (len(columns) - words, len(columns))))
    return tuple(printable(str(name)) for name in features.columns), tuple(zip(*columns, strict=True))


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_rows_")
    rng, rows = np.random.default_rng(0), ["length,colour,target"]
    for shift, target in enumerate(("a", "b", "c")):
        rows += [f"{shift + rng.normal():.4f},{rng.choice(['red', 'blue'])},{target}" for _ in range(12)]
    Path(folder.name, "table.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder
