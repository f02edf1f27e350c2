"""From an encoded file to a picture, whatever it holds. Files are untrusted."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.Image import Transpose
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.TiffTags import TAGS_V2_GROUPS

from tl_core.errors import DataError, printable

MAX_PIXELS = 100_000_000
"""An image with more pixels is refused before it is decoded: small files can decode to gigabytes."""

PHOTOGRAPH = "PHOTOGRAPH"
FORMATS = (PHOTOGRAPH, "PNG", "BMP", "GIF", "WEBP", "TIFF")
"""Pillow's names of what may be in a file, whatever its name says: of its other decoders some call programs (Ghostscript)."""

MAX_TEXT_BYTES = 1 << 26
"""Of the texts and the colour profile of a PNG, which small files can hold compressed. Pillow's own bound is one that editors
exceed with their histories."""
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES

TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What brings an image upright, by its EXIF orientation."""
CLEAR_SCALES: dict[Any, float] = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}
"""What brings the transparent value of a PNG to the 8 bits that its pixels get, by how these are stored."""

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


class _Photograph(JpegImageFile):
    """A JPEG, of which only the pixels and the orientation matter."""

    def _read_dpi_from_exif(self) -> None:
        """Leave the resolution alone: Pillow would read the EXIF data for it, and fail where a value has an unusual type."""


Image.register_open(PHOTOGRAPH, _Photograph, lambda prefix: prefix.startswith(b"\xff\xd8\xff"))


class UndecodableError(DataError):
    """A file that is no whole, sane image. `reason` says why in a few words."""

    def __init__(self, reason: str, received: str) -> None:
        self.reason = reason
        what = f"This image cannot be decoded ({reason})."
        super().__init__(what, "Replace it or move it out of the folder.", received=received)


def read_image(source: Path | BinaryIO, least: int | None = None, *, name: str = "") -> Image.Image:
    """Return the image in the file `source` in RGB, upright.

    Raises `UndecodableError`, with its path or `name`, where it is not a whole image or too large. With `least` a JPEG is decoded
    at a half, a quarter or an eighth of its size, if no side gets shorter than that many pixels: its decoder (libjpeg) does so
    several times faster, and averages as it does.
    """
    with open_image(source, name) as image:
        return decoded(image, least)


@contextmanager
def open_image(source: Path | BinaryIO, name: str = "") -> Iterator[Image.Image]:
    """Yield the image in the file `source`, not decoded yet. Raises `UndecodableError` where it is no image, has too many pixels,
    or turns out to be damaged in the `with` block."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height <= MAX_PIXELS:
                _leave_damaged_metadata(image)
                _scale_clear_value(image)
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


def _leave_damaged_metadata(image: Image.Image) -> None:
    """Remove from a TIFF the metadata that its decoder reads after the pixels, and would fail on."""
    if image.format != "TIFF":
        return
    if not isinstance(image.info.get("xmp", b""), bytes):
        del image.info["xmp"]
    exif = image.getexif()
    for group in exif.keys() & TAGS_V2_GROUPS.keys():
        try:
            exif.get_ifd(group)
        except DECODER_ERRORS:
            del exif[group]


def _scale_clear_value(image: Image.Image) -> None:
    """Scale the transparent value of a PNG without an alpha channel to 8 bits; Pillow leaves it as it is stored."""
    clear = image.info.get("transparency")
    if clear is None or not isinstance(image, PngImagePlugin.PngImageFile) or not image.tile:
        return
    if scale := CLEAR_SCALES.get(image.tile[0].args):
        image.info["transparency"] = tuple(int(value * scale) for value in clear) if isinstance(clear, tuple) else clear * scale


def decoded(image: Image.Image, least: int | None = None) -> Image.Image:
    """Return an opened image as `read_image` does; it may be the same one."""
    if least:
        image.draft(None, (least, least))
    image.load()
    turn = TURNS.get(orientation(image))
    picture = on_white(_eight_bits(image))
    return picture if turn is None else picture.transpose(turn)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of an opened image, 1 to 8; 1, as it is, where its EXIF data name none or are damaged. That of
    a TIFF is 1 once it is loaded: its decoder turns it.

    Only this tag is read. Pillow's `exif_transpose` writes all of them anew, which fails for values of unusual types.
    """
    if image.format == "PNG":
        image.load()  # its EXIF data may follow its pixels
    try:
        found = image.getexif().get(Base.Orientation)
        return int(found) if found in TURNS else 1
    except DECODER_ERRORS:
        return 1


def is_transparent(image: Image.Image) -> bool:
    """Return whether a pixel of an opened image is not opaque."""
    clear = _with_alpha(_eight_bits(image))
    return clear is not None and clear.getchannel("A").getextrema() != (255, 255)


def _with_alpha(image: Image.Image) -> Image.Image | None:
    """Return the image in RGBA; None where it says nothing of transparency."""
    if not image.has_transparency_data:
        return None
    clear = image.convert("RGBA")
    if image.format == "BMP" and clear.getchannel("A").getextrema() == (0, 0):
        clear.putalpha(255)  # the fourth byte of a pixel is there, and nobody used it
    return clear


def on_white(image: Image.Image) -> Image.Image:
    """Return the image in RGB, laid on white, as viewers show it: below what is transparent lies whatever an editor left."""
    clear = _with_alpha(image)
    if clear is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    white = Image.new("RGB", clear.size, "white")
    white.paste(clear, mask=clear)
    return white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return grey values of 16 bits, or of 12 in a TIFF that says so, as 8: Pillow would clip them, and nearly all of such a
    photograph would be white. Raises `ValueError` for pixels of 32 bits."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image)
        bits = int(np.max(image.tag_v2[Base.BitsPerSample])) if isinstance(image, TiffImageFile) else 16
        grey = (values >> (bits - 8)).astype(np.uint8)
        clear = image.info.get("transparency")
        if clear is None:
            return Image.fromarray(grey)
        return Image.fromarray(np.dstack([grey, np.where(values == clear, 0, 255).astype(np.uint8)]))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and which value is white is not known")
    return image
