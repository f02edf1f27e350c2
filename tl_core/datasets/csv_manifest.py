"""Images that a table lists."""

import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from tl_core.data.formats.columns import is_filled
from tl_core.data.formats.paths import existing_folder
from tl_core.data.formats.tables import plain
from tl_core.data.label_kinds import CLASSES, NUMBERS, LabelKind
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.datasets import FileImages, register
from tl_core.datasets._table_data import TableSource
from tl_core.datasets._user_data import Given
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath

if TYPE_CHECKING:
    import pandas as pd

PATHS = ("path", "file", "filename", "file_name", "image", "filepath")


@register("csv_manifest")
class CsvManifest(TableSource):
    """Images of your own that a table lists: CSV, TSV or Parquet with a path and a label in each row.

    Paths are relative to the table, or to a folder that you name, and may not lead out of it. A column may name the split of
    each image, and another one a group, such as the patient, of which all images stay on one side.
    """

    title: ClassVar[str] = "Table of images"
    label_kinds: ClassVar[tuple[LabelKind, ...]] = (CLASSES, NUMBERS, MULTI_LABELS)
    listing_order: ClassVar[int] = 110

    path: ServerPath | None = Field(None, title="Table", description="A CSV, TSV or Parquet file with a row for each image.")
    images: ServerPath | None = Field(
        None,
        title="Folder of the images",
        description="Where the paths in the table begin; empty for the folder of the table.",
        json_schema_extra={"more": True},
    )
    path_column: str | None = Field(
        None, title="Path column", description="Empty finds a column such as path or file.", json_schema_extra={"more": True}
    )
    label_column: str | None = Field(
        None,
        title="Label column",
        description="Empty finds a column such as label, class or target; several columns of 0 and 1 have | between their names.",
        json_schema_extra={"more": True},
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name, "images.csv"))

    def given(self) -> Given:
        notes = list[Note]()
        columns = self.columns(notes)
        assert self.path  # or there would be no table
        root = existing_folder(self.images or self.path.parent)
        names = columns.require(self.path_column, PATHS, "paths of the images", partial(_no_paths, root))
        aside = self.aside(columns)
        labels = self.labels(columns, self.label_column, aside, notes)
        labelled = self.label_kind.is_given(labels)
        files = _files(root, names, labels, labelled | aside.needing_none(len(labels)), notes)
        return self.split(labels, aside, np.array(list(files), np.intp), partial(FileImages, tuple(files.values())), notes)


def _files(
    root: Path, names: "pd.Series[str]", labels: "pd.Series[str]", usable: NDArray[np.bool_], notes: list[Note]
) -> dict[int, Path]:
    """Return the file of each row that is used: it has a path, and a label unless it needs none, its file is there, and no other
    row has it. Where several rows have the same file, the first with a label is used, and none where their labels differ.

    Args:
        root: Where the paths begin.
        names: The path of each row (n,).
        labels: The label of each row (n,), blank where there is none.
        usable: Which rows (n,) have a label, or need none.
        notes: Gets what a user should know.

    Raises:
        DataError: Where no row is left, and for a path that leads out of `root`.
    """
    complete = is_filled(names) & usable
    if not complete.any():
        raise DataError("No row of the table has a path and a label.", "Fill them in, or name other columns.")
    if count := int((~complete).sum()):
        notes.append(Note(NoteKind.ROWS_WITHOUT_PATH_OR_LABEL, (count,)))
    listed, rows_of_file, missing = names.tolist(), dict[Path, list[int]](), list[str]()
    for row in np.flatnonzero(complete).tolist():
        if path := _located(root, listed[row]):
            rows_of_file.setdefault(path, []).append(row)
        else:
            missing.append(printable(listed[row].strip()))
    if not rows_of_file:
        raise DataError(
            f"None of the images in the table is there: their paths are those of the column {printable(str(names.name))}.",
            "Name the folder where they begin as dataset.images, or another column.",
            received=f"{root}, {missing[0]}",
        )
    if missing:
        notes.append(Note.counting(NoteKind.MISSING_IMAGES, missing))
    return _first_of_each(rows_of_file, plain(labels).tolist(), listed, notes)


def _first_of_each(
    rows_of_file: dict[Path, list[int]], labels: list[str], names: list[str], notes: list[Note]
) -> dict[int, Path]:
    """Return the files that have one label, by their first rows. Raises `DataError` where there are none."""
    told = {path: [row for row in rows if labels[row]] or rows for path, rows in rows_of_file.items()}
    torn = [printable(names[rows[0]].strip()) for rows in told.values() if len({labels[row] for row in rows}) > 1]
    files = {rows[0]: path for path, rows in told.items() if len({labels[row] for row in rows}) == 1}
    if not files:
        raise DataError(
            "Every image in the table is listed with several labels, and nobody knows which is right.",
            "Give each image one row.",
            received=torn[0],
        )
    if torn:
        notes.append(Note.counting(NoteKind.IMAGES_OF_SEVERAL_LABELS, torn))
    again = [
        printable(names[row].strip())
        for path, rows in rows_of_file.items()
        for row in rows
        if told[path][0] in files and row != told[path][0]
    ]
    if again:
        notes.append(Note.counting(NoteKind.REPEATED_ROWS, again))
    return dict(sorted(files.items()))


def _no_paths(root: Path, names: "pd.Series[str]") -> Note | None:
    """Return why the column holds no paths of images below `root`."""
    try:
        return None if any(_located(root, name) for name in names) else Note(NoteKind.COLUMN_WITHOUT_FILES)
    except DataError:
        return Note(NoteKind.COLUMN_LEADING_OUT)


def _located(root: Path, name: str) -> Path | None:
    """Return the file that `name` means, or None where it is not there. Raises `DataError` where it leads out of `root`, whether
    anything is there or not."""
    for spelling in _spellings(name):
        try:
            path = (root / spelling).resolve()
            is_there = path.is_relative_to(root) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # no name that a disk can hold
            continue
        if not path.is_relative_to(root):
            raise DataError(
                "A path in the table leads out of the folder of the images.",
                "Name the folder that holds all images as dataset.images.",
                received=printable(name),
            )
        if is_there:
            return path
    return None


def _spellings(name: str) -> dict[str, None]:
    """Return `name` as it is, without white space around it, and as other systems write it: with slashes, with letters in one
    piece and in several."""
    inner = name.strip()
    slashed = inner.replace("\\", "/")
    return dict.fromkeys((name, inner, *(normalize(form, each) for each in (inner, slashed) for form in ("NFC", "NFD"))))


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Make three classes with twelve small images of noise each, and the table that lists them; return their folder."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_table_")
    rng, rows = np.random.default_rng(0), ["path,label"]
    for name in ("blue", "green", "red"):
        for number in range(12):
            pixels = rng.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder.name, f"{name}{number}.png"))
            rows.append(f"{name}{number}.png,{name}")
    Path(folder.name, "images.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder
