"""Images with labels, read when they are needed."""

import hashlib
import os
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tl_core.errors import DataError

MAX_PIXELS = 100_000_000
"""An image with more pixels is refused before it is decoded: small files can decode to gigabytes."""

DECODER_ERRORS = (OSError, ValueError, SyntaxError, EOFError, TypeError, ArithmeticError, LookupError, struct.error)
"""What Pillow's decoders and its EXIF reader were seen to raise, or can, on damaged files."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


class Images(ABC):
    """A sequence of RGB photographs of any size, and the class index of each."""

    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def read(self, index: int) -> Pixels:
        """Image number `index` as uint8 of shape (height, width, 3). Raises `DataError` where it cannot be decoded."""

    @abstractmethod
    def take(self, indices: Sequence[int] | NDArray[np.intp]) -> "Images":
        """The images at `indices`, in that order."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What to call image number `index` where one is looked at: a file name, or its number."""

    @cached_property
    def ids(self) -> tuple[bytes, ...]:
        """sha256 (32 bytes) of the content of each image, label and name apart: equal exactly where two images are the same.

        Raises `DataError` for an image that cannot be read."""
        return tuple(map(self._id, range(len(self))))

    @abstractmethod
    def _id(self, index: int) -> bytes:
        """The digest of image number `index`."""

    def digest(self) -> str:
        """sha256 over the labels and the content, in order: equal exactly when two splits hold the same images."""
        return hashlib.sha256(np.ascontiguousarray(self.labels).tobytes() + b"".join(self.ids)).hexdigest()


@dataclass(frozen=True, eq=False)
class ArrayImages(Images):
    """Images already in memory: uint8 arrays of shape (height, width) or (height, width, 3), grey or RGB."""

    pixels: Sequence[Pixels] | Pixels
    labels: Labels

    def read(self, index: int) -> Pixels:
        image = self.pixels[index]
        return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)

    def take(self, indices: Sequence[int] | NDArray[np.intp]) -> "ArrayImages":
        chosen = np.asarray(indices, dtype=np.intp)
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

    def read(self, index: int) -> Pixels:
        return read_image(self.paths[index])

    def take(self, indices: Sequence[int] | NDArray[np.intp]) -> "FileImages":
        chosen = np.asarray(indices, dtype=np.intp)
        return FileImages(tuple(self.paths[i] for i in chosen), self.labels[chosen])

    def name(self, index: int) -> str:
        path = self.paths[index]
        return printable(f"{path.parent.name}/{path.name}")

    @cached_property
    def ids(self) -> tuple[bytes, ...]:
        """As of all images; several files are read at a time."""
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="digest") as pool:
            return tuple(pool.map(self._id, range(len(self))))

    def _id(self, index: int) -> bytes:
        path = self.paths[index]
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest()
        except OSError as error:
            raise DataError(
                f"This image cannot be read ({error.strerror}).",
                "Put it back, or load the dataset again.",
                received=printable(str(path)),
            ) from None


def printable(text: str) -> str:
    """`text` on one line: control characters and undecodable bytes, which file names may hold, become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def read_image(path: Path) -> Pixels:
    """The file at `path` as uint8 (height, width, 3). Raises `DataError` where it is not a whole, sane image."""
    try:
        with Image.open(path) as image:
            if image.width * image.height <= MAX_PIXELS:
                return np.asarray(_eight_bits(ImageOps.exif_transpose(image)).convert("RGB"))
            reason = f"it has {image.width} x {image.height} pixels, and at most {MAX_PIXELS:,} are read"
    except Image.DecompressionBombError:
        reason = "it would take too much memory"
    except UnidentifiedImageError:
        reason = "its content is not an image"
    except DECODER_ERRORS as error:
        reason = str(error) or type(error).__name__
    raise DataError(
        f"This image cannot be decoded ({reason}).",
        "Replace it or move it out of the folder.",
        received=printable(str(path)),
    )


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey values of 16 bits brought to 8: Pillow would clip them, and nearly all of such a photograph would be white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and which value is white is not known")
    return image
