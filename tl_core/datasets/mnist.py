"""MNIST and the datasets published in its form, such as Fashion-MNIST."""

import os
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, NamedTuple, Self
from urllib.error import URLError

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.datasets import ArrayImages, Data, Dataset, register
from tl_core.datasets.files import existing_folder
from tl_core.datasets.idx import read_idx, write_idx
from tl_core.datasets.images import printable
from tl_core.datasets.splitting import first_per_class, hold_out
from tl_core.errors import DataError
from tl_core.settings import ServerPath

CLASS_NAMES = tuple("0123456789")


class Arrays(NamedTuple):
    """The four arrays of the dataset: uint8 images (count, height, width) and uint8 labels (count,)."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]


FILES = ("train-images", "train-labels", "t10k-images", "t10k-labels")
"""How the files of the four arrays begin, in the order of `Arrays`."""


@register("mnist")
class Mnist(Dataset):
    """Handwritten digits of 28 x 28 pixels: 60,000 for training and 10,000 for the test.

    They are read from a folder of IDX files where one is given, or else from Keras' cache. Fashion-MNIST and
    other datasets in the same four files can be given as a folder too; their classes are called 0 to 9.
    """

    title: ClassVar[str] = "MNIST"

    path: ServerPath | None = Field(
        None,
        title="Folder of IDX files",
        description="Folder with the four files of MNIST, such as train-images-idx3-ubyte or train-images-idx3-ubyte.gz; "
        "empty reads Keras' cache.",
    )
    download: bool = Field(
        False, title="Download", description="Fetch MNIST (11 MB) into Keras' cache where it is not there yet."
    )
    validation_share: float = Field(
        0.05,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Which share of the training images is held out for validation; 0 for none.",
        json_schema_extra={"more": True},
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name))

    def load(self, seed: int) -> Data:
        arrays = self._arrays()
        known = ArrayImages(arrays.x_train, arrays.y_train.astype(np.int64))
        test = ArrayImages(arrays.x_test, arrays.y_test.astype(np.int64))
        kept, held = hold_out(known.labels, self.validation_share, CLASS_NAMES, "validation")
        drawn = kept[first_per_class(known.labels[kept], self.labels_per_class, seed)]
        return Data(CLASS_NAMES, known.take(drawn), known.take(held), test)

    @property
    def fetches(self) -> bool:
        return self.download and self.path is None and not _cached().is_file()

    def location(self) -> str:
        return printable(str(self.path or _cached()))

    def _arrays(self) -> Arrays:
        if self.path is not None:
            folder = existing_folder(self.path)
            return _checked(Arrays(*(_read_any(folder, name) for name in FILES)), folder)
        if _cached().is_file():
            return _checked(_read_npz(_cached()), _cached())
        if self.download:
            return _checked(_downloaded(), _cached())
        raise DataError(
            "MNIST is not on this machine.",
            "Give the folder of its IDX files as dataset.path, or set dataset.download=true to fetch 11 MB.",
            received=f"nothing at {_cached()}",
        )


def _read_any(folder: Path, name: str) -> NDArray[np.uint8]:
    """The IDX file called `name` in one of the ways in which it is published."""
    dimensions = 3 if name.endswith("images") else 1
    spellings = [f"{name}{mark}idx{dimensions}-ubyte{end}" for end in ("", ".gz") for mark in "-."]
    for spelling in spellings:
        if (folder / spelling).is_file():
            return read_idx(folder / spelling, dimensions)
    raise DataError(
        f"A file of MNIST is missing: none of {', '.join(spellings)} is there.",
        "Give the folder that holds all four IDX files.",
        received=printable(str(folder)),
    )


def _cached() -> Path:
    """Where Keras keeps MNIST once it was fetched."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(os.path.expanduser(home), "datasets", "mnist.npz")  # noqa: PTH111 - Path raises where there is no home


def _read_npz(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Arrays(*(stored[name] for name in Arrays._fields))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"Keras' copy of MNIST cannot be read ({error}).", "Delete the file and fetch it again.", received=path
        ) from None


def _downloaded() -> Arrays:
    """MNIST by way of Keras, which leaves it in its cache."""
    import keras

    with _NetworkErrors():
        train, test = keras.datasets.mnist.load_data()
    return Arrays(*train, *test)


class _NetworkErrors:
    """Turns a failed download into a `DataError` and lets everything else pass.

    Keras raises a plain `Exception` there, which cannot be caught by its type; what it was raised from tells.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        cause = error if isinstance(error, OSError | ValueError) else getattr(error, "__context__", None)
        if isinstance(error, Exception) and isinstance(cause, OSError | ValueError):  # ValueError: the checksum is wrong
            reason = cause.reason if isinstance(cause, URLError) else cause
            raise DataError(
                f"MNIST could not be fetched ({reason}).",
                "Try again when there is a network, or give the folder of its IDX files as dataset.path.",
            ) from error


def _checked(arrays: Arrays, source: Path) -> Arrays:
    """`arrays` if images and labels belong together; `DataError` otherwise."""
    for split, images, labels in (("training", *arrays[:2]), ("test", *arrays[2:])):
        reason = ""
        if images.dtype != np.uint8 or images.ndim != 3 or 0 in images.shape[1:] or labels.ndim != 1:
            reason = "they are not grey images of bytes with one label each"
        elif len(images) != len(labels):
            reason = f"there are {len(images):,} images and {len(labels):,} labels"
        elif len(labels) and not 0 <= labels.min() <= labels.max() < len(CLASS_NAMES):
            reason = f"labels reach from {labels.min()} to {labels.max()}, and only 0 to 9 are known"
        if reason:
            raise DataError(
                f"The {split} images are not MNIST's ({reason}).", "Give a folder with files in MNIST's form.", received=source
            )
    return arrays


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """IDX files with 12 training and 3 test images of each class, of noise; removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_mnist_")
    rng = np.random.default_rng(0)
    labels = np.arange(150, dtype=np.uint8) % 10
    images = rng.integers(0, 256, (150, 28, 28), dtype=np.uint8)
    for name, array in zip(FILES, (images[:120], labels[:120], images[120:], labels[120:]), strict=True):
        write_idx(Path(folder.name, f"{name}-idx{array.ndim}-ubyte"), array)
    return folder
