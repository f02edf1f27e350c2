"""Images in a dataset of Hugging Face's library, on this machine or on their hub."""

import importlib.util
import io
import os
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from tl_core.data.class_names import label_text
from tl_core.data.examples import Labels
from tl_core.data.formats.hub_folder import tables_of, tables_of_hub
from tl_core.data.formats.paths import existing_folder, leads_to
from tl_core.data.images import EncodedImages
from tl_core.datasets import register
from tl_core.datasets._user_data import Given, UserDataset, named_splits
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath, absolute

OFFLINE = "HF_HUB_OFFLINE"
INSTALL = "pip install -r requirements-sources.txt"
IMAGES, LABELS = ("image", "img", "picture", "pixels"), ("label", "labels", "fine_label", "class", "target")
FAILURES = (OSError, ValueError, RuntimeError, LookupError, ImportError, TypeError, AttributeError)
"""What the library and those under it raise for what is missing, damaged, of another kind or out of reach."""


@dataclass(frozen=True, eq=False)
class TableImages(EncodedImages):
    """Rows `places` (n,) of a table of the library, whose column of images is left encoded, with the class of each (n,). What is
    not in the table itself is read below `root` and nowhere else: whoever made the table may have written any path into it."""

    table: Any
    column: str
    root: Path
    places: NDArray[np.intp]
    labels: Labels

    def _take(self, chosen: NDArray[np.intp]) -> "TableImages":
        return replace(self, places=self.places[chosen], labels=self.labels[chosen])

    def name(self, index: int) -> str:
        path = self._cell(index).get("path")
        return printable(Path(path).name) if path else f"image {self.places[index]}"

    def _cell(self, index: int) -> dict[str, Any]:
        return self.table[int(self.places[index])][self.column] or {}

    def content(self, index: int) -> bytes:
        """Return the encoded image; empty where there is none, which no decoder takes."""
        cell = self._cell(index)
        if cell.get("bytes") is not None:
            return bytes(cell["bytes"])
        path = leads_to(Path(cell.get("path") or self.root), self.root)
        try:
            return path.read_bytes() if path and path.is_file() else b""
        except OSError:
            return b""


@register("huggingface")
class HuggingFace(UserDataset):
    """Images in a dataset of Hugging Face's library `datasets`: a folder on this machine, or a name on their hub.

    A folder may be one that the library saved, or hold Parquet files or folders of images. From the hub a run fetches what is not
    on this machine only if you allow it. Code that comes with a dataset is never run.
    """

    title: ClassVar[str] = "Hugging Face dataset"
    listing_order: ClassVar[int] = 120
    needs: ClassVar[str] = "datasets"
    second_class: ClassVar[str] = "Choose a dataset of several classes, or name another column of labels."

    path: ServerPath | None = Field(None, title="Folder", description="A folder that the library saved, or one of Parquet files.")
    repository: str | None = Field(
        None,
        title="Name on the hub",
        pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$",
        description="Such as ylecun/mnist; used where no folder is given.",
    )
    configuration: str | None = Field(
        None, title="Configuration", description="Where the dataset has several.", json_schema_extra={"more": True}
    )
    download: bool = Field(False, title="Download", description="Let the run fetch it from the hub where it is not here yet.")
    image_column: str | None = Field(
        None, title="Image column", description="Empty finds the first column of images.", json_schema_extra={"more": True}
    )
    label_column: str | None = Field(
        None, title="Label column", description="Empty finds a column such as label.", json_schema_extra={"more": True}
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name))

    def given(self) -> Given:
        given, notes = named_splits(self._tables())
        image, label = self._columns(given["train"])
        spelled = {split: [_spelled(table, label, value) for value in table[label]] for split, table in given.items()}
        labelled = {split: [row for row, value in enumerate(values) if value is not None] for split, values in spelled.items()}
        values = {split: [label_text(spelled[split][row]) for row in rows] for split, rows in labelled.items()}
        names = sorted({value for of_split in values.values() for value in of_split})
        codes = {name: code for code, name in enumerate(names)}
        images = {
            split: TableImages(
                _undecoded(table, image),
                image,
                existing_folder(self.path) if self.path else _hub_home(),
                np.array(labelled[split], np.intp),
                np.array([codes[value] for value in values[split]], np.int64),
            )
            for split, table in given.items()
            if labelled[split]
        }
        missing = sum(map(len, spelled.values())) - sum(map(len, labelled.values()))
        notes += [Note(NoteKind.UNLABELLED_IMAGES, (missing,))] if missing else []
        if "train" not in images:
            raise DataError("No image to train on has a label.", "Name another column of labels.", received=label)
        return Given([printable(name) for name in names], images, notes)

    @property
    def fetches(self) -> bool:
        return self.download and self.path is None and self.repository is not None and not self._cached().exists()

    @property
    def own_name(self) -> str:
        return super().own_name if self.path or not self.repository else self.repository

    def location(self) -> str:
        if self.path:
            return printable(str(self.path))
        return f"{self.repository} on Hugging Face's hub" if self.repository else "a dataset yet to be chosen"

    def _cached(self) -> Path:
        """Return the folder in which the library keeps what it fetched under that name."""
        place = os.environ.get("HF_DATASETS_CACHE") or _hub_home() / "datasets"
        return Path(place, str(self.repository).replace("/", "___"))

    def _tables(self) -> Any:
        """Return the dataset's tables by the names of their splits. Raises `DataError`."""
        if self.path is None and self.repository is None:
            raise DataError("No dataset is chosen yet.", "Give a folder as dataset.path, or a name as dataset.repository.")
        folder = existing_folder(self.path) if self.path else None
        if folder is None and Path(str(self.repository)).exists():  # which the library would prefer to the hub
            raise DataError("This is a folder here.", "Give it as dataset.path.", received=self.repository)
        library = _library(offline=not self.download or folder is not None)
        received = printable(str(folder or self.repository))
        try:
            if folder is not None:
                found = tables_of(library, folder, self.configuration)
            else:
                found = tables_of_hub(library, str(self.repository), self.configuration)
        except (*FAILURES, library.exceptions.DatasetsError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            hint = "Check the folder." if folder else "Check the name, or set dataset.download=true to let the run fetch it."
            raise DataError(f"The dataset cannot be loaded ({reason}).", hint, received=received) from None
        return found if isinstance(found, dict) else {"train": found}

    def _columns(self, table: Any) -> tuple[str, str]:
        """Return the columns of the images and of the labels. Raises `DataError`."""
        names, found = list(table.column_names), []
        pictures = [name for name in names if type(table.features[name]).__name__ == "Image"]
        for wanted, usual, what in ((self.image_column, [*pictures, *IMAGES], "images"), (self.label_column, LABELS, "labels")):
            name = next((each for each in ([wanted] if wanted else usual) if each in names), None)
            if name is None:
                listed = printable(", ".join(names))
                raise DataError(f"No column holds the {what}.", f"Name one of these: {listed}.", received=wanted or "nothing")
            found.append(name)
        return found[0], found[1]


def _hub_home() -> Path:
    """Return the folder in which the library keeps everything."""
    return absolute(os.environ.get("HF_HOME") or "~/.cache/huggingface").resolve()


def _library(*, offline: bool) -> Any:
    """Return the module `datasets`, which sends nothing of its own and, if `offline`, fetches nothing."""
    if importlib.util.find_spec("datasets") is None:
        raise DataError("Hugging Face's library is not installed.", f"Run: {INSTALL} and start this again.", received="datasets")
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    given = os.environ.get(OFFLINE)
    if offline:
        os.environ[OFFLINE] = "1"  # it is read once, when the library is imported
    try:
        import datasets.exceptions
    finally:
        if offline and given is None:
            del os.environ[OFFLINE]  # a run that is started from here may be allowed to fetch
        elif given is not None:
            os.environ[OFFLINE] = given
    return datasets


def _undecoded(table: Any, column: str) -> Any:
    import datasets

    return table.cast_column(column, datasets.Image(decode=False))


def _spelled(table: Any, column: str, value: Any) -> Any:
    """Return a label as people call it; None where there is none, which the library writes as -1 among the numbers of classes."""
    feature = table.features[column]
    if not hasattr(feature, "int2str") or not isinstance(value, int):
        return value
    return feature.int2str(value) if value >= 0 else None


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Make a Parquet file of 36 small images of noise in three classes, as the hub has them, and return its folder."""
    import pandas as pd

    folder, rng, rows = tempfile.TemporaryDirectory(prefix="transfer_lab_hf_"), np.random.default_rng(0), []
    for number in range(36):
        written = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(written, "PNG")
        rows.append({"image": {"bytes": written.getvalue(), "path": f"{number}.png"}, "label": "abc"[number % 3]})
    pd.DataFrame(rows).to_parquet(Path(folder.name, "train.parquet"))
    return folder
