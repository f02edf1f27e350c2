"""Texts that a table lists."""

import tempfile
from functools import cache, partial
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from tl_core.data.formats.columns import is_filled
from tl_core.data.formats.written import TEXTS
from tl_core.data.label_kinds import CLASSES, NUMBERS, LabelKind
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.data.texts import Texts
from tl_core.datasets import Modality, register
from tl_core.datasets._table_data import TableSource
from tl_core.datasets._user_data import Given
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath


@register("csv_text")
class CsvText(TableSource):
    """Texts of your own in a table: CSV, TSV or Parquet with a text and a label in each row."""

    title: ClassVar[str] = "Table of texts"
    label_kinds: ClassVar[tuple[LabelKind, ...]] = (CLASSES, NUMBERS, MULTI_LABELS)
    listing_order: ClassVar[int] = 170
    modality: ClassVar[Modality] = Modality.TEXTS
    thing: ClassVar[str] = "texts"

    path: ServerPath | None = Field(None, title="Table", description="A CSV, TSV or Parquet file with a row for each text.")
    text_column: str | None = Field(
        None, title="Text column", description="Empty finds a column such as text or sentence.", json_schema_extra={"more": True}
    )
    label_column: str | None = Field(
        None, title="Label column", description="Empty finds a column such as label or class.", json_schema_extra={"more": True}
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name, "texts.csv"))

    def given(self) -> Given:
        notes = list[Note]()
        columns = self.columns(notes)
        texts = columns.require(self.text_column, TEXTS, "texts")
        aside = self.aside(columns)
        labels = self.labels(columns, self.label_column, aside, notes)
        usable = is_filled(texts) & (self.label_kind.is_given(labels) | aside.needing_none(len(labels)))
        if not usable.any():
            raise DataError("No row of the table has a text and a label.", "Fill them in, or name other columns.")
        if not usable.all():
            notes.append(Note(NoteKind.ROWS_WITHOUT_TEXT_OR_LABEL, (int((~usable).sum()),)))
        make = partial(Texts, tuple(texts[usable]))
        return self.split(labels, aside, np.flatnonzero(usable), make, notes)


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_texts_")
    rng, rows = np.random.default_rng(0), ["text,label"]
    for label, word in (("good", "fine"), ("bad", "poor"), ("neutral", "plain")):
        rows += [f"a {word} thing of {number},{label}" for number in rng.permutation(1000)[:12]]
    Path(folder.name, "texts.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder
