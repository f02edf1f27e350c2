"""Images in NumPy's own format."""

import struct
import tempfile
import tokenize
import zipfile
import zlib
from functools import cache
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import Field

from tl_core.data.array_labels import classes_of_arrays, values_of
from tl_core.data.formats.archive_formats import require_measurable
from tl_core.data.scaling import as_bytes
from tl_core.datasets import ArrayImages, register
from tl_core.datasets._user_data import Given, UserDataset
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath

MOST_BYTES = 4_000_000_000
"""In memory; larger sets are better given as files."""
PAIRS = {
    "train": (("x_train", "y_train"), ("x", "y"), ("images", "labels")),
    "validation": (("x_val", "y_val"), ("x_validation", "y_validation"), ("x_valid", "y_valid")),
    "test": (("x_test", "y_test"),),
}
NAMES = "class_names"
LABELS_HELP = "Save labels as (n,): rows with a single 1 by argmax(axis=1), whole floats by astype(int)."
NAMES_HELP = 'Save them as numpy.array(["cat", "dog"]).'
BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    RuntimeError,
    MemoryError,
)
"""What NumPy and `zipfile` raise on damaged files; RuntimeError: a compression that is not known, or an encrypted member."""


@register("numpy")
class NumpyArrays(UserDataset):
    """Images of your own in an .npz file: x with the pixels, y with the labels.

    Or x_train, y_train, x_test, y_test and x_val, y_val; and class_names, if there are names. Pixels are bytes, or numbers in
    0 to 1. All of it is read into memory.
    """

    title: ClassVar[str] = "NumPy arrays"
    listing_order: ClassVar[int] = 130
    second_class: ClassVar[str] = "Save images of another class, and labels of both."

    path: ServerPath | None = Field(
        None, title="File", description="An .npz file with x (n, height, width[, channels]) and y (n)."
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name, "images.npz"))

    def given(self) -> Given:
        if self.path is None:
            raise DataError("No file is chosen yet.", "Give an .npz file as dataset.path.")
        arrays = _arrays(self.path)
        pairs = {split: next((pair for pair in known if set(pair) <= arrays.keys()), None) for split, known in PAIRS.items()}
        if pairs["train"] is None:
            raise DataError(
                "The file lacks the images or their labels.",
                "Save it with numpy.savez(file, x=..., y=...), or with x_train, y_train, x_test and y_test.",
                received=printable(", ".join(arrays)) or "no array",
            )
        named, notes = as_bytes({pair[0]: arrays[pair[0]] for pair in pairs.values() if pair})
        pixels = {split: named[pair[0]] for split, pair in pairs.items() if pair}
        labels = {split: values_of(arrays[pair[1]], pair[1], "image", LABELS_HELP) for split, pair in pairs.items() if pair}
        given = values_of(arrays[NAMES], NAMES, "class", NAMES_HELP) if NAMES in arrays else None
        names, codes = classes_of_arrays(labels, given, notes)
        used = {NAMES, *(name for pair in pairs.values() if pair for name in pair)}
        if others := [printable(name) for name in arrays if name not in used]:
            notes.append(Note.counting(NoteKind.UNUSED_ARRAYS, others))
        for split, images in pixels.items():
            if len(images) != len(codes[split]):
                raise DataError(
                    f"There are {len(images):,} {split} images and {len(codes[split]):,} labels.",
                    "Save one label for each image.",
                    received=printable(str(self.path)),
                )
        return Given(names, {split: ArrayImages(images, codes[split]) for split, images in pixels.items()}, notes)

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a file yet to be chosen"


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays in the file. Raises `DataError`."""
    if path.exists() and not path.is_file():
        raise DataError("This is no file.", "Give an .npz file.", received=printable(str(path)))
    try:
        return arrays_of(path)
    except BROKEN as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise DataError(
            f"This is no .npz file that can be read ({reason}).",
            "Save numbers and text with numpy.savez; objects, which NumPy pickles, are never read.",
            received=printable(str(path)),
        ) from None


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays in an .npz file by their names, after a look at how large they say they are. Nothing is unpickled.

    Raises `DataError` where they are too large, and what `BROKEN` names for a file that is none.
    """
    total = 0
    with zipfile.ZipFile(path) as archive:
        require_measurable(archive)
        if len(set(archive.namelist())) < len(archive.namelist()):
            raise ValueError("two arrays in it have the same name")
        for entry in archive.infolist():
            with archive.open(entry) as file:
                total += _announced(file)  # type: ignore[arg-type]  # it reads
            if total > MOST_BYTES:
                what = f"Its arrays would take {total:,} bytes, and at most {MOST_BYTES:,} are read."
                raise DataError(what, "Give the images as files in folders.", received=printable(str(path)))
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _announced(file: BinaryIO) -> int:
    """Return the bytes that an array takes, by its header. Raises `ValueError`."""
    version = npy.read_magic(file)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError("an array in it is of a newer format")
    shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise ValueError("an array in it holds Python objects")
    if any(length < 0 for length in shape):
        raise ValueError("an array in it has a negative length")
    return prod(shape) * dtype.itemsize


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_numpy_")
    pixels = np.random.default_rng(0).integers(0, 256, (36, 9, 8, 3), dtype=np.uint8)
    np.savez(Path(folder.name, "images.npz"), x=pixels, y=np.arange(36) % 3)
    return folder
