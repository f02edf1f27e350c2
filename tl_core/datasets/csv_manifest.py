"""Images that a table lists."""

import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from tl_core.datasets import Data, FileImages, register
from tl_core.datasets.files import existing_folder
from tl_core.datasets.listing import left_out_note
from tl_core.datasets.table_source import LABELS, TableSource, said
from tl_core.datasets.tables import required
from tl_core.errors import DataError, printable
from tl_core.settings import ServerPath

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
        None, title="Label column", description="Empty finds a column such as label or class.", json_schema_extra={"more": True}
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name, "images.csv"))

    def read(self, seed: int) -> Data:
        frame, notes = self.table(), list[str]()
        assert self.path  # or there would be no table
        names = required(frame, self.path_column, PATHS, "paths of the images")
        labels = required(frame, self.label_column, LABELS, "labels")
        chosen = _usable(names, labels, notes)
        paths, there = _resolved(existing_folder(self.images or self.path.parent), names.iloc[chosen], notes)
        return self.shared_out(frame, chosen[there], labels, partial(FileImages, tuple(paths)), notes)


def _usable(names: "pd.Series[str]", labels: "pd.Series[str]", notes: list[str]) -> NDArray[np.intp]:
    """The rows that have a path and a label and are the first of their path. Raises `DataError` where none is."""
    complete, repeated = said(names) & said(labels), names.duplicated().to_numpy(bool)
    left_out = {"Rows without a path or a label": ~complete, "Rows of an image that was listed before": complete & repeated}
    notes += [f"{what}: {int(rows.sum()):,} left out." for what, rows in left_out.items() if rows.any()]
    if not (chosen := complete & ~repeated).any():
        raise DataError("No row of the table has a path and a label.", "Fill them in, or name other columns.")
    return np.flatnonzero(chosen)


def _resolved(root: Path, names: "pd.Series[str]", notes: list[str]) -> tuple[list[Path], list[int]]:
    """The files that are there, and which of `names` they are. Raises `DataError` for one that leads out of `root`, and where
    none is there."""
    paths, there, missing = list[Path](), list[int](), list[str]()
    for place, name in enumerate(names):
        try:
            path = (root / name).resolve()
            is_there = path.is_relative_to(root) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # no name that a disk can hold
            path, is_there = root, False
        if not path.is_relative_to(root):  # whether anything is there or not
            raise DataError(
                "A path in the table leads out of the folder of the images.",
                "Name the folder that holds all images as dataset.images.",
                received=printable(name),
            )
        if is_there:
            paths.append(path)
            there.append(place)
        else:
            missing.append(printable(name))
    if not paths:
        raise DataError(
            "None of the images in the table is there.",
            "Name the folder where their paths begin.",
            received=f"{root}, {missing[0]}",
        )
    if missing:
        notes.append(left_out_note("Images that are not there", len(missing), missing))
    return paths, there


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Three classes with twelve small images of noise each, and the table that lists them."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_table_")
    rng, rows = np.random.default_rng(0), ["path,label"]
    for name in ("blue", "green", "red"):
        for number in range(12):
            pixels = rng.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder.name, f"{name}{number}.png"))
            rows.append(f"{name}{number}.png,{name}")
    Path(folder.name, "images.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder
