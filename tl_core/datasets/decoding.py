"""From an encoded file to a picture, whatever it holds. Files are untrusted."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tl_core.errors import DataError, printable

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


class UndecodableError(DataError):
    """A file that is no whole, sane image. `reason` says why in a few words."""

    def __init__(self, reason: str, received: str) -> None:
        self.reason = reason
        what = f"This image cannot be decoded ({reason})."
        super().__init__(what, "Replace it or move it out of the folder.", received=received)


def read_image(source: Path | BinaryIO, least: int | None = None, *, name: str = "") -> Image.Image:
    """The file `source` in RGB, upright. Raises `UndecodableError`, with its path or `name`, where it is not a whole, sane image.

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


def decoded(image: Image.Image, least: int | None = None) -> Image.Image:
    """An opened image as `read_image` gives it, which may be the same one, changed: a large photograph is not copied."""
    if least:
        image.draft(None, (least, least))
    ImageOps.exif_transpose(image, in_place=True)
    upright = _eight_bits(image)
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey values of 16 bits brought to 8: Pillow would clip them, and nearly all of such a photograph would be white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and which value is white is not known")
    return image
