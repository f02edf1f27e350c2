"""Images with labels, read when they are needed."""

import hashlib
import io
import os
import struct
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tl_core.datasets.digesting import counted
from tl_core.datasets.examples import Examples, Labels
from tl_core.errors import DataError

MAX_PIXELS = 100_000_000
"""An image with more pixels is refused before it is decoded: small files can decode to gigabytes."""

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
"""Pillow's names of what may be in a file, whatever its name says: of its other decoders some call programs (Ghostscript)."""

DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    MemoryError,
    struct.error,
)
"""What Pillow's decoders and its EXIF reader were seen to raise, or can, on damaged files."""

READ_BYTES, DIGESTED = 1 << 20, 64
"""Bytes of a file that are read at a time, and files that a thread digests before it is given others."""

REMEMBERED, SETTLED_NS = 1 << 17, 2_000_000_000
"""Digests of files that a process remembers, by where a file lies and when it was changed; one that has just been changed may be
changed again at what its disk calls the same time."""

Pixels = NDArray[np.uint8]


class UndecodableError(DataError):
    """A file that is no whole, sane image. `reason` says why in a few words."""

    def __init__(self, reason: str, received: str) -> None:
        self.reason = reason
        what = f"This image cannot be decoded ({reason})."
        super().__init__(what, "Replace it or move it out of the folder.", received=received)


class Images(Examples):
    """A sequence of RGB photographs of any size, and the class index of each."""

    @abstractmethod
    def read(self, index: int, least: int | None = None) -> Pixels:
        """Image number `index` as uint8 of shape (height, width, 3). Raises `DataError` where it cannot be decoded.

        With `least` it may come smaller than it is, though no side shorter than that many pixels, where that is quicker.
        """

    def source(self, index: int) -> Path | BinaryIO | None:
        """Where image number `index` lies encoded; None where there are only its pixels."""
        return None

    def file_bytes(self) -> int:
        """What the files take in which the images are; 0 where they are in memory. Raises `DataError` where one is gone."""
        return 0


@dataclass(frozen=True, eq=False)
class ArrayImages(Images):
    """Images already in memory: uint8 arrays of shape (height, width) or (height, width, 3), grey or RGB."""

    pixels: Sequence[Pixels] | Pixels
    labels: Labels

    def read(self, index: int, least: int | None = None) -> Pixels:
        image = self.pixels[index]
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)

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

    def read(self, index: int, least: int | None = None) -> Pixels:
        return read_image(self.paths[index], least)

    def _take(self, chosen: NDArray[np.intp]) -> "FileImages":
        return FileImages(tuple(self.paths[i] for i in chosen), self.labels[chosen])

    def file_bytes(self) -> int:
        return sum(map(_size, self.paths))

    def name(self, index: int) -> str:
        path = self.paths[index]
        return printable(f"{path.parent.name}/{path.name}")

    @cached_property
    def ids(self) -> tuple[bytes, ...]:
        """As of all images; several files are read at a time, and no more of them once whoever is told so gives up."""
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


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.digest()


@lru_cache(REMEMBERED)
def _known_digest(path: Path, *_state: int) -> bytes:
    """The digest of a file in that state, read once: a page asks for its data time and again."""
    return _digest(path)


class EncodedImages(Images):
    """Images that lie encoded in a file of many."""

    @abstractmethod
    def content(self, index: int) -> bytes:
        """The encoded image number `index`. Raises `DataError` where it is gone."""

    def source(self, index: int) -> BinaryIO:
        return io.BytesIO(self.content(index))

    def read(self, index: int, least: int | None = None) -> Pixels:
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


def printable(text: str) -> str:
    """`text` on one line: control characters and undecodable bytes, which file names may hold, become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def read_image(source: Path | BinaryIO, least: int | None = None, *, name: str = "") -> Pixels:
    """The file `source` as uint8 (height, width, 3). Raises `UndecodableError`, with its path or `name`, where it is not a whole,
    sane image.

    With `least` a JPEG is decoded at a half, a quarter or an eighth of its size, if no side gets shorter than that: its decoder
    (libjpeg) does so several times faster, and averages as it does.
    """
    with open_image(source, name) as image:
        return decoded(image, least)


@contextmanager
def open_image(source: Path | BinaryIO, name: str = "") -> Iterator[Image.Image]:
    """The image in the file `source`, not decoded yet. Raises `UndecodableError` where it is none, has too many
    pixels, or what is done with it finds it damaged."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height <= MAX_PIXELS:
                yield image
                return
            reason = f"it has {image.width} x {image.height} pixels, and at most {MAX_PIXELS:,} are read"
    except Image.DecompressionBombError:
        reason = "it would take too much memory"
    except UnidentifiedImageError:
        reason = "its content is not an image"
    except DECODER_ERRORS as error:
        reason = str(error) or type(error).__name__
    raise UndecodableError(reason, printable(name or str(source)))


def decoded(image: Image.Image, least: int | None = None) -> Pixels:
    """The pixels of an opened image as `read_image` gives them: turned as its EXIF says, in RGB."""
    if least:
        image.draft(None, (least, least))
    return np.asarray(_eight_bits(ImageOps.exif_transpose(image)).convert("RGB"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey values of 16 bits brought to 8: Pillow would clip them, and nearly all of such a photograph would be white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and which value is white is not known")
    return image
