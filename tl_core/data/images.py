"""Images with labels, read when they are needed."""

import hashlib
import io
import os
import time
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.data.decoding import open_image, read_image
from tl_core.data.examples import Examples, Labels, Unlabelled
from tl_core.data.hashing import counted
from tl_core.errors import DataError, printable

MEASURED = 64
"""So many images say how large a dataset's are."""
READ_BYTES, DIGESTED = 1 << 20, 64
"""Bytes of a file that are read at a time, and files that a thread digests before it is given others."""

REMEMBERED, SETTLED_NS = 1 << 17, 2_000_000_000
"""Digests of files that a process remembers, by where a file lies and when it was changed; one that has just been changed may be
changed again at what its disk calls the same time."""

Pixels = NDArray[np.uint8]


class Images(Examples):
    """A sequence of RGB photographs of any size, and the label of each."""

    @abstractmethod
    def picture(self, index: int, least: int | None = None) -> Image.Image:
        """Return image number `index` in RGB, upright. Raises `DataError` where it cannot be decoded.

        With `least` it may be smaller than the original where that is quicker, but no side shorter than that many pixels.
        """

    def read(self, index: int, least: int | None = None) -> Pixels:
        """Return the pixels of `picture`: uint8 (height, width, 3)."""
        return np.asarray(self.picture(index, least))

    def shorter_side(self, index: int) -> int:
        """Return the pixels of the shorter side of image number `index`, from its header where it has one. Raises `DataError`."""
        source = self.source(index)
        if source is None:
            return min(self.picture(index).size)
        with open_image(source) as image:
            return min(image.size)

    def typical_size(self) -> int | None:
        """Return the median of the shorter sides, in pixels, of `MEASURED` images at most, drawn evenly, without those that are
        damaged; None where there is no other."""
        sides = list[int]()
        for index in range(len(some := self.subsample(MEASURED))):
            with suppress(DataError):
                sides.append(some.shorter_side(index))
        return int(np.median(sides)) if sides else None

    def source(self, index: int) -> Path | BinaryIO | None:
        """Return the encoded image number `index`; None where there are only its pixels."""
        return None


@dataclass(frozen=True, eq=False)
class ArrayImages(Images):
    """Images already in memory: uint8 arrays of shape (height, width) or (height, width, 3), grey or RGB."""

    pixels: Sequence[Pixels] | Pixels
    labels: Labels

    def picture(self, index: int, least: int | None = None) -> Image.Image:
        picture = Image.fromarray(self.pixels[index])
        return picture if picture.mode == "RGB" else picture.convert("RGB")

    def _take(self, chosen: NDArray[np.intp]) -> "ArrayImages":
        pixels = self.pixels[chosen] if isinstance(self.pixels, np.ndarray) else [self.pixels[i] for i in chosen]
        return ArrayImages(pixels, self.labels[chosen])

    def name(self, index: int) -> str:
        return f"image {index}"

    def _id(self, index: int) -> bytes:
        image = np.ascontiguousarray(self.pixels[index])
        return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()


@dataclass(frozen=True, eq=False)
class FileImages(Images):
    """Images in files, decoded one at a time; EXIF rotation is applied and every colour mode becomes RGB."""

    paths: tuple[Path, ...]
    labels: Labels

    def source(self, index: int) -> Path:
        return self.paths[index]

    def picture(self, index: int, least: int | None = None) -> Image.Image:
        return read_image(self.paths[index], least)

    def _take(self, chosen: NDArray[np.intp]) -> "FileImages":
        return FileImages(tuple(self.paths[i] for i in chosen), self.labels[chosen])

    def unlabelled(self) -> "UnlabelledFiles":
        same = UnlabelledFiles(self.paths)
        self._tell(same, np.arange(len(self)))
        return same

    def file_bytes(self) -> int:
        return sum(map(_size, self.paths))

    def name(self, index: int) -> str:
        path = self.paths[index]
        return printable(f"{path.parent.name}/{path.name}")

    @cached_property
    def ids(self) -> tuple[bytes, ...]:
        """Return the digests as for all images; several files are read at a time, and no more once a report raises to give up."""
        parts = np.split(np.arange(len(self)), range(DIGESTED, len(self), DIGESTED))
        pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="digest")
        try:
            return tuple(chain.from_iterable(counted(pool.map(lambda part: list(map(self._id, part)), parts), len(self))))
        finally:
            pool.shutdown(cancel_futures=True)

    def _id(self, index: int) -> bytes:
        path = self.paths[index]
        try:
            found = path.stat()
            if time.time_ns() - found.st_ctime_ns < SETTLED_NS:
                return _digest(path)
            return _known_digest(path, found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)
        except OSError as error:
            raise _gone(path, error) from None


class UnlabelledFiles(Unlabelled, FileImages):
    """Images in files, without labels."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.__dict__["paths"] = paths

    def __len__(self) -> int:
        return len(self.paths)

    def _take(self, chosen: NDArray[np.intp]) -> "UnlabelledFiles":
        return UnlabelledFiles(tuple(self.paths[index] for index in chosen))


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.digest()


@lru_cache(REMEMBERED)
def _known_digest(path: Path, *_state: int) -> bytes:
    """Return the digest of a file in that state, read once: a page asks for its data time and again."""
    return _digest(path)


class EncodedImages(Images):
    """Images that lie encoded in a file of many."""

    @abstractmethod
    def content(self, index: int) -> bytes:
        """Return the encoded image number `index`. Raises `DataError` where it is gone."""

    def source(self, index: int) -> BinaryIO:
        return io.BytesIO(self.content(index))

    def picture(self, index: int, least: int | None = None) -> Image.Image:
        return read_image(self.source(index), least, name=self.name(index))

    def _id(self, index: int) -> bytes:
        return hashlib.sha256(self.content(index)).digest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _gone(path, error) from None


def _gone(path: Path, error: OSError) -> DataError:
    return DataError(
        f"This image cannot be read ({error.strerror}).",
        "Put it back, or load the dataset again.",
        received=printable(str(path)),
    )
