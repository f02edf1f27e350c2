"""Transparent images lie on white, whatever colour an editor left below: every kind of alpha, of 1 to 16 bits."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.test_exif import chunk
from tests.helpers import write_images
from tl_core.checks.image_checks import Repair
from tl_core.checks.scan import examine
from tl_core.data.decoding import read_image
from tl_core.datasets.image_folder import ImageFolder

RED, BLUE, WHITE = (255, 0, 0), (10, 20, 30), (255, 255, 255)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def rgba(alpha: int) -> Image.Image:
    """A red pixel of so much alpha, and an opaque blue one."""
    return Image.fromarray(np.array([[[*RED, alpha], [*BLUE, 255]]], np.uint8))


def palette() -> Image.Image:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    return image


def png(depth: int, colour: int, row: bytes, clear: bytes = b"") -> bytes:
    """A PNG of two pixels, written by hand: Pillow writes few of the kinds."""
    header = struct.pack(">IIBBBBB", 2, 1, depth, colour, 0, 0, 0)
    more = chunk(b"tRNS", clear) if clear else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")


def bmp(alpha: int) -> bytes:
    """A BMP of 32 bits that names the fourth byte of its pixels alpha."""
    header = struct.pack("<LllHHLLllLL4L", 108, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0, 0xFF0000, 0xFF00, 0xFF, 0xFF000000).ljust(
        108, b"\0"
    )
    pixels = bytes([*RED[::-1], alpha, *BLUE[::-1], alpha])
    return b"BM" + struct.pack("<LHHL", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels


def shorts(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


ON_WHITE = {
    "PNG": saved(rgba(0), "PNG"),
    "WebP": saved(rgba(0), "WEBP", lossless=True, exact=True),
    "TIFF": saved(rgba(0), "TIFF"),
    "GIF": saved(palette(), "GIF", transparency=0),
    "palette, one index": saved(palette(), "PNG", transparency=0),
    "palette, bytes": saved(palette(), "PNG", transparency=b"\0\xff"),
    "RGB with a clear colour": png(8, 2, bytes([*RED, *BLUE]), shorts(*RED)),
    "RGB of 16 bits with a clear colour": png(16, 2, shorts(0x1200, 5, 6, 0xA05, 0x1405, 0x1E05), shorts(0x1200, 5, 6)),
    "RGBA of 16 bits": png(16, 6, shorts(0x1234, 5, 6, 0, 0xA05, 0x1405, 0x1E05, 0xFFFF)),
}
GREY_ON_WHITE = {
    "PNG": (saved(Image.fromarray(np.array([[[7, 0], [102, 255]]], np.uint8)), "PNG"), 102),
    "TIFF": (saved(Image.fromarray(np.array([[[7, 0], [102, 255]]], np.uint8)), "TIFF"), 102),
    "16 bits with alpha": (png(16, 4, shorts(0x1234, 0, 0x6605, 0xFFFF)), 102),
    "16 bits with a clear value": (png(16, 0, shorts(0x6606, 0x6605), shorts(0x6606)), 102),
    "8 bits with a clear value": (png(8, 0, bytes([7, 102]), shorts(7)), 102),
    "4 bits with a clear value": (png(4, 0, b"\x36", shorts(3)), 102),
    "2 bits with a clear value": (png(2, 0, b"\x60", shorts(1)), 170),
    "1 bit with a clear value": (png(1, 0, b"\x80", shorts(1)), 0),
}


def pixels(content: bytes) -> list[list[int]]:
    """The colours of the two pixels."""
    read = np.asarray(read_image(io.BytesIO(content)))
    assert read.shape == (1, 2, 3)
    return read[0].tolist()


@pytest.mark.parametrize("kind", ON_WHITE)
def test_a_colour_that_nobody_sees_is_white(kind: str) -> None:
    assert pixels(ON_WHITE[kind]) == [list(WHITE), list(BLUE)]


@pytest.mark.parametrize("kind", GREY_ON_WHITE)
def test_a_grey_that_nobody_sees_is_white(kind: str) -> None:
    content, grey = GREY_ON_WHITE[kind]
    assert pixels(content) == [list(WHITE), [grey] * 3]


@pytest.mark.parametrize("alpha", [1, 100, 128, 254])
def test_half_of_a_colour_is_half_on_white(alpha: int) -> None:
    expected = np.array(RED) * alpha / 255 + 255 - alpha
    for content in (saved(rgba(alpha), "PNG"), saved(palette(), "PNG", transparency=bytes([alpha, 255]))):
        seen, other = pixels(content)
        assert np.abs(seen - expected).max() <= 1
        assert other == list(BLUE)


@pytest.mark.parametrize("content", [bmp(0), bmp(255), saved(rgba(255), "PNG")])
def test_what_is_opaque_stays_as_it_is(content: bytes) -> None:
    assert pixels(content) == [list(RED), list(BLUE)]


def test_a_transparent_image_is_turned_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    read = np.asarray(read_image(io.BytesIO(saved(rgba(0), "PNG", exif=exif))))
    assert read[:, 0].tolist() == [list(WHITE), list(BLUE)]


def test_the_examination_tells_of_transparent_images_and_not_of_opaque_ones(tmp_path: Path) -> None:
    folder = write_images(tmp_path, classes=2)
    for number, kind in enumerate(("PNG", "GIF", "RGB with a clear colour", "RGB of 16 bits with a clear colour")):
        (folder / "class0" / f"clear{number}.png").write_bytes(ON_WHITE[kind])
    (folder / "class1" / "clear.png").write_bytes(GREY_ON_WHITE["16 bits with a clear value"][0])
    (folder / "class1" / "opaque.png").write_bytes(saved(rgba(255), "PNG"))
    report = examine(ImageFolder(path=folder).read(0), lambda done, images: None)
    assert report.repaired[Repair.CLEAR] == 5
