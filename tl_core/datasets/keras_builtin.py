"""The image datasets that Keras fetches, read from where it keeps them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, Self
from urllib.error import URLError

import numpy as np
from pydantic import Field

from tl_core.data.arrays import Arrays, checked, example_arrays
from tl_core.data.formats.cifar import CIFAR10_FILES, CIFAR10_NAMES, CIFAR100_FILES, CIFAR100_NAMES, read_cifar10, read_cifar100
from tl_core.datasets import Data, register
from tl_core.datasets._array_data import ArraysDataset
from tl_core.datasets.idx_folder import has_family, read_family
from tl_core.datasets.numpy_arrays import BROKEN, arrays_of
from tl_core.errors import DataError, printable
from tl_core.system.settings import ServerPath, keras_home

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class Which(StrEnum):
    """Keras' names of them."""

    MNIST = "mnist"
    FASHION_MNIST = "fashion_mnist"
    CIFAR10 = "cifar10"
    CIFAR100 = "cifar100"


class Kept(NamedTuple):
    """What it is called, where below Keras' folder of datasets it lies, how one sees that it is whole, how it is read, its
    classes, its size, and the pixels of a side of its images."""

    title: str
    place: str
    is_whole: Callable[[Path], bool]
    read: Callable[[Path], Arrays]
    names: tuple[str, ...]
    megabytes: int
    side: int


def _read_npz(path: Path) -> Arrays:
    stored = arrays_of(path)
    return Arrays(*(stored[name] for name in Arrays._fields))


def _holds(names: tuple[str, ...]) -> Callable[[Path], bool]:
    return lambda folder: all((folder / name).is_file() for name in names)


KEPT = {
    Which.MNIST: Kept("MNIST", "mnist.npz", Path.is_file, _read_npz, DIGITS, 11, 28),
    Which.FASHION_MNIST: Kept("Fashion-MNIST", "fashion-mnist", has_family, read_family, CLOTHES, 31, 28),
    Which.CIFAR10: Kept(
        "CIFAR-10", "cifar-10-batches-py-target/cifar-10-batches-py", _holds(CIFAR10_FILES), read_cifar10, CIFAR10_NAMES, 170, 32
    ),
    Which.CIFAR100: Kept(
        "CIFAR-100", "cifar-100-python-target/cifar-100-python", _holds(CIFAR100_FILES), read_cifar100, CIFAR100_NAMES, 169, 32
    ),
}
DAMAGED = (*BROKEN, IndexError)
"""What the readers raise; `MemoryError` where a damaged file announces more than any machine holds."""


@register("keras_builtin")
class KerasBuiltin(ArraysDataset):
    """MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100, as Keras fetches and keeps them.

    50,000 or 60,000 small images to train on and 10,000 for the test. They are read from Keras' folder; a run fetches what is
    not there yet if you allow it.
    """

    title: ClassVar[str] = "Keras dataset"
    listing_order: ClassVar[int] = 150

    which: Which = Field(
        Which.MNIST, title="Dataset", description="Digits, clothes, or photographs of 10 or of 100 kinds of things."
    )
    download: bool = Field(
        False, title="Download", description="Let the run fetch it (11 to 170 MB) into Keras' folder where it is not there yet."
    )
    folder: ServerPath | None = Field(
        None,
        title="Keras' folder",
        description="Where Keras kept it, if elsewhere; empty for KERAS_HOME, or .keras in your home, where it is fetched to.",
        json_schema_extra={"more": True},
    )

    @classmethod
    def example(cls) -> Self:
        return cls(folder=Path(_example_folder().name))

    def read(self, seed: int) -> Data:
        kept = KEPT[self.which]
        if not self._is_here():
            self._fetch(kept)
        try:
            arrays = kept.read(self._place())
        except DAMAGED as error:
            raise DataError(
                f"Keras' copy of {kept.title} cannot be read ({error}).",
                "Delete it and fetch it again.",
                received=printable(str(self._place())),
            ) from None
        return self.fixed(checked(arrays, len(kept.names), self._place()), kept.names)

    def typical_size(self) -> int:
        return KEPT[self.which].side

    @property
    def fetches(self) -> bool:
        return self.download and self.folder is None and not self._is_here()

    def fetched_share(self) -> float:
        """Return the share by what has grown in Keras' folder; archives lie beside the folder that they are unpacked into."""
        kept = KEPT[self.which]
        found = self._datasets().glob(f"{Path(kept.place).parts[0]}*")
        files = (path for top in found for path in (top, *top.glob("*")) if path.is_file())
        return min(1.0, sum(path.stat().st_size for path in files) / (kept.megabytes * 1e6))

    @property
    def own_name(self) -> str:
        return KEPT[self.which].title

    def location(self) -> str:
        return printable(str(self._place()))

    def _datasets(self) -> Path:
        return (self.folder or keras_home()) / "datasets"

    def _place(self) -> Path:
        return self._datasets() / KEPT[self.which].place

    def _is_here(self) -> bool:
        """Return whether all files are here, which they are not where Keras was interrupted."""
        return KEPT[self.which].is_whole(self._place())

    def _fetch(self, kept: Kept) -> None:
        """Have Keras fetch the data, and check what came; the progress is in the run's log. Raises `DataError`."""
        found = printable(f"{'only a part' if self._place().exists() else 'nothing'} at {self._place()}")
        if not self.fetches:
            fetching = f"Set dataset.download=true to let the run fetch {kept.megabytes} MB"
            elsewhere = "Leave dataset.folder empty, since Keras fetches into its own folder alone"
            next_step = f"{elsewhere if self.download else fetching}, or give its files as another dataset."
            raise DataError(f"{kept.title} is not on this machine.", next_step, received=found)
        import keras

        with _network_errors(kept.title):
            getattr(keras.datasets, self.which.value).load_data()
        if not self._is_here():  # Keras takes the system's temporary folder where it may not write
            raise DataError(
                f"Keras could not keep {kept.title} in its folder.",
                "Allow this user to write there, or name another folder in KERAS_HOME.",
                received=printable(str(self._place())),
            )


@contextmanager
def _network_errors(title: str) -> Iterator[None]:
    """Turn a failed download into a `DataError` and let everything else pass.

    Keras raises a plain `Exception` there, which cannot be caught by its type; what it was raised from tells.
    """
    with _Raised() as raised:
        yield
    if raised.cause is not None:
        reason = raised.cause.reason if isinstance(raised.cause, URLError) else raised.cause
        raise DataError(
            f"{title} could not be fetched ({reason}).",
            "Try again when there is a network, or copy it into Keras' folder on this machine.",
        ) from raised.cause


class _Raised:
    """Keeps what a failed download was raised from."""

    cause: OSError | ValueError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        cause = error if isinstance(error, OSError | ValueError) else getattr(error, "__context__", None)
        if isinstance(error, Exception) and isinstance(cause, OSError | ValueError):  # ValueError: the checksum is wrong
            self.cause = cause
        return self.cause is not None


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Make Keras' folder with a small MNIST of noise, removed when the process ends, and return it."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_keras_")
    Path(folder.name, "datasets").mkdir()
    parts = example_arrays()._asdict()
    np.savez(Path(folder.name, "datasets", "mnist.npz"), **parts)
    return folder
