"""MNIST and the datasets published in its form, such as Fashion-MNIST and Kuzushiji-MNIST."""

import tempfile
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.data.arrays import Arrays, checked, example_arrays
from tl_core.data.formats.idx import read_idx, write_idx
from tl_core.data.formats.paths import existing_folder, leads_to
from tl_core.datasets import Data, register
from tl_core.datasets._array_data import ArraysDataset
from tl_core.errors import DataError, printable
from tl_core.system.settings import ServerPath

FILES = ("train-images", "train-labels", "t10k-images", "t10k-labels")
"""How the files of the four arrays begin, in the order of `Arrays`."""
FEWEST_CLASSES, MOST_CLASSES = 10, 256


@register("idx_folder")
class IdxFolder(ArraysDataset):
    """MNIST's original files, or those of a dataset in the same form, such as Fashion-MNIST.

    Four IDX files, compressed or not: images and labels for training and for the test. Classes are called by their numbers.
    """

    title: ClassVar[str] = "IDX files"
    listing_order: ClassVar[int] = 160

    path: ServerPath | None = Field(
        None,
        title="Folder",
        description="Folder with the four files, such as train-images-idx3-ubyte or train-images-idx3-ubyte.gz.",
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name))

    def read(self, seed: int) -> Data:
        if self.path is None:
            raise DataError("No folder is chosen yet.", "Give the folder of the IDX files as dataset.path.")
        folder = existing_folder(self.path)
        arrays = read_family(folder)
        known = max((int(labels.max()) + 1 for labels in (arrays.y_train, arrays.y_test) if len(labels)), default=0)
        names = tuple(map(str, range(max(FEWEST_CLASSES, known))))
        return self.fixed(checked(arrays, MOST_CLASSES, folder), names)

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a folder yet to be chosen"


def read_family(folder: Path) -> Arrays:
    """Return what the four files in `folder` hold. Raises `DataError` where one is missing or broken."""
    return Arrays(*(_read_any(folder, name) for name in FILES))


def has_family(folder: Path) -> bool:
    """Return whether all four files are in `folder`."""
    return all(_found(folder, name) for name in FILES)


def _read_any(folder: Path, name: str) -> NDArray[np.uint8]:
    """Return the array of the IDX file called `name` in one of the ways in which it is published."""
    found = _found(folder, name)
    if found is None:
        listed = ", ".join(place.name for place in _places(folder, name))
        raise DataError(
            f"A file of the dataset is missing: none of {listed} is there.",
            "Give the folder that holds all four IDX files.",
            received=printable(str(folder)),
        )
    return read_idx(found, _dimensions(name))


def _found(folder: Path, name: str) -> Path | None:
    """Return the first place at which the file is; a link counts where it stays in the folder."""
    root = folder.resolve()
    return next((place for place in _places(folder, name) if (target := leads_to(place, root)) and target.is_file()), None)


def _places(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}{mark}idx{_dimensions(name)}-ubyte{end}" for end in ("", ".gz") for mark in "-."]


def _dimensions(name: str) -> int:
    return 3 if name.endswith("images") else 1


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Write IDX files of noise to a folder, which is removed when the process ends, and return it."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_idx_")
    for name, array in zip(FILES, example_arrays(), strict=True):
        write_idx(Path(folder.name, f"{name}-idx{array.ndim}-ubyte"), array)
    return folder
