"""Images whose EXIF data, texts or profiles are unusual: they are read, and turned where a viewer turns them."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffTags

from tests.helpers import write_images
from tl_core.checks.image_checks import Repair
from tl_core.checks.scan import examine
from tl_core.data.decoding import MAX_TEXT_BYTES, read_image
from tl_core.datasets.image_folder import ImageFolder
from tl_core.errors import DataError

ORIENTATION, SOFTWARE, RESOLUTION, UNIT = 0x0112, 0x0131, 0x011A, 0x0128
TAGS = sorted((set(ExifTags.TAGS) | set(TiffTags.TAGS_V2)) - {ORIENTATION})
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 99: 1}
"""Bytes of a value of each type; the last is a type that there is not."""
VALUES = ((1, b"\x07\0\0\0\x03\0\0\0"), (2, b"\xff"), (1, b"\0"), (0, b""))
"""How many values a tag has, and with which bytes these are filled."""
LAYOUT = {256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 340, 341, 347}
"""Tags that say how the pixels of a TIFF lie."""
PIXELS = np.zeros((8, 16, 3), np.uint8)
PIXELS[:4, :8] = 255

Entry = tuple[int, int, int, bytes]
"""A tag, its type, how many values it has, and the bytes of all of these."""


def filled(tag: int, kind: int, count: int, fill: bytes) -> Entry:
    size = SIZES[kind] * count
    return tag, kind, count, (fill * (size + 1))[:size]


def directory(entries: Iterable[Entry], at: int, order: str) -> bytes:
    """An image file directory that lies at the place `at` of its block."""
    listed = sorted(entries)
    rows, beyond = b"", b""
    place = at + 2 + 12 * len(listed) + 4
    for tag, kind, count, content in listed:
        short = len(content) <= 4
        rows += struct.pack(order + "HHL", tag, kind, count)
        rows += content.ljust(4, b"\0") if short else struct.pack(order + "L", place + len(beyond))
        beyond += b"" if short else content
    return struct.pack(order + "H", len(listed)) + rows + bytes(4) + beyond


def block(*entries: Entry, orientation: int = 6, order: str = "<") -> bytes:
    """EXIF data with an orientation and the `entries`."""
    turned = (ORIENTATION, 3, 1, struct.pack(order + "H", orientation))
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HL", 42, 8)
    return head + directory([turned, *entries], 8, order)


def encoded(kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(PIXELS).save(written, kind, **options)
    return written.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


JPEG, PNG, WEBP = encoded("JPEG", quality=95), encoded("PNG"), encoded("WEBP", lossless=True, exif=block())
JFIF_END = 4 + struct.unpack(">H", JPEG[4:6])[0]


def jpeg(exif: bytes) -> bytes:
    """As cameras write it: without a JFIF header, so that the resolution is in the EXIF data alone."""
    return JPEG[:2] + segment(0xE1, b"Exif\0\0" + exif) + JPEG[JFIF_END:]


def png(exif: bytes) -> bytes:
    return PNG[:33] + chunk(b"eXIf", exif) + PNG[33:]


def late_png(exif: bytes) -> bytes:
    return PNG[:-12] + chunk(b"eXIf", exif) + PNG[-12:]


def webp(exif: bytes) -> bytes:
    padded = exif + bytes(len(exif) % 2)
    content = WEBP[8 : WEBP.index(b"EXIF")] + b"EXIF" + struct.pack("<L", len(padded)) + padded
    return b"RIFF" + struct.pack("<L", len(content)) + content


def tiff(*more: Entry, orientation: int = 6) -> bytes:
    """A grey TIFF with tags of any kind; those of `more` stand in place of its own."""
    grey = PIXELS[:, :, 0].tobytes()
    layout = {256: 16, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, ORIENTATION: orientation, 277: 1, 278: 8, 279: len(grey)}
    own = [(tag, 3, 1, struct.pack("<H", value)) for tag, value in layout.items() if tag not in {entry[0] for entry in more}]
    return b"II*\0" + struct.pack("<L", 8 + len(grey)) + grey + directory([*own, *more], 8 + len(grey), "<")


def upright(orientation: int) -> np.ndarray:
    """The pixels as EXIF 2.32 says of each orientation."""
    turned = {
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, -1),
        7: np.rot90(PIXELS, 2).transpose(1, 0, 2),
        8: np.rot90(PIXELS),
    }
    return turned.get(orientation, PIXELS)


def require(content: bytes, orientation: int, told: object) -> None:
    pixels = np.asarray(read_image(io.BytesIO(content)))
    assert pixels.shape == upright(orientation).shape, told
    assert np.array_equal(pixels > 127, upright(orientation) > 127), told


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Pillow warns of what it reads all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


BUILDERS: dict[str, Callable[[bytes], bytes]] = {"jpeg": jpeg, "png": png, "late png": late_png, "webp": webp}


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("order", "<>")
def test_every_orientation_is_turned(kind: str, order: str) -> None:
    for orientation in range(12):
        require(BUILDERS[kind](block(orientation=orientation, order=order)), orientation, orientation)


@pytest.mark.parametrize("orientation", range(12))
def test_every_orientation_of_a_tiff_is_turned_once(orientation: int) -> None:
    require(tiff(orientation=orientation), orientation, orientation)


@pytest.mark.parametrize("kind", BUILDERS)
def test_software_as_a_rational_is_read_and_turned(kind: str) -> None:
    require(BUILDERS[kind](block(filled(SOFTWARE, 5, 1, b"\x07\0\0\0\x03\0\0\0"))), 6, kind)


def test_every_tag_of_every_type_beside_every_orientation() -> None:
    """All pairs of the three: each orientation meets each tag, and each type; each tag meets each type."""
    for number, (tag, kind) in enumerate(product(TAGS, SIZES)):
        count, fill = VALUES[number % len(VALUES)]
        orientation = 1 + (2 * (number // len(SIZES)) + number) % 8
        require(jpeg(block(filled(tag, kind, count, fill), orientation=orientation)), orientation, (tag, kind, count, fill))


@pytest.mark.full
@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_tag_type_value_and_orientation(kind: str, orientation: int) -> None:
    for tag, type_, (count, fill) in product(TAGS, SIZES, VALUES):
        exif = block(filled(tag, type_, count, fill), orientation=orientation)
        require(BUILDERS[kind](exif), orientation, (tag, type_, count, fill))


@pytest.mark.parametrize(
    "units", [pytest.param((2, 3, 5), id="some"), pytest.param(tuple(SIZES), id="all", marks=pytest.mark.full)]
)
def test_resolutions_of_every_type_do_not_matter(units: tuple[int, ...]) -> None:
    for unit, kind in product(units, SIZES):
        for (units_, unit_fill), (count, fill) in product(VALUES, VALUES):
            entries = filled(UNIT, unit, units_, unit_fill), filled(RESOLUTION, kind, count, fill)
            require(jpeg(block(*entries)), 6, entries)


@pytest.mark.parametrize(
    "tags", [pytest.param((700, SOFTWARE, 34665, 34853, 40965), id="some"), pytest.param(TAGS, id="all", marks=pytest.mark.full)]
)
def test_tags_of_a_tiff_that_say_nothing_of_its_pixels_do_not_matter(tags: Iterable[int]) -> None:
    for tag, kind, (count, fill) in product(set(tags) - LAYOUT, SIZES, VALUES):
        require(tiff(filled(tag, kind, count, fill)), 6, (tag, kind, count, fill))


def test_tags_of_a_tiff_that_say_how_its_pixels_lie_are_followed_or_told() -> None:
    small = [(1, bytes([value, 0, 0, 0, 1, 0, 0, 0])) for value in range(1, 6)]
    for tag, kind, (count, fill) in product(LAYOUT, SIZES, (*VALUES, *small)):
        try:
            read_image(io.BytesIO(tiff(filled(tag, kind, count, fill))))
        except DataError as error:
            assert str(error).startswith("This image cannot be decoded (")


@pytest.mark.parametrize("kind", SIZES)
def test_an_orientation_of_another_type_is_turned_or_left(kind: int) -> None:
    """Only that it is read: viewers differ on what six bytes, or a six of text, is."""
    turned = (ORIENTATION, 3, 1, b"\6\0")
    exif = block().replace(directory([turned], 8, "<"), directory([filled(ORIENTATION, kind, 1, b"\6\0\0\0\1\0\0\0")], 8, "<"))
    assert set(read_image(io.BytesIO(jpeg(exif))).size) == {8, 16}


@pytest.mark.parametrize("exif", [b"", b"II", b"hello", b"II*\0\xff\xff\xff\xff", block()[:20]])
@pytest.mark.parametrize("kind", BUILDERS)
def test_damaged_exif_data_leave_the_picture_as_it_is(kind: str, exif: bytes) -> None:
    require(BUILDERS[kind](exif), 1, exif)


def png_with(*chunks: bytes) -> bytes:
    return PNG[:33] + b"".join(chunks) + PNG[33:]


def text(megabytes: int, kind: bytes = b"zTXt", key: bytes = b"History") -> bytes:
    head = key + (b"\0\1\0\0\0" if kind == b"iTXt" else b"\0\0")
    return chunk(kind, head + zlib.compress(b"a" * (megabytes << 20), 1))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_three_megabytes_of_compressed_text_are_no_hindrance(kind: bytes) -> None:
    require(png_with(text(3, kind)), 1, kind)


def test_many_texts_and_other_large_chunks_are_no_hindrance() -> None:
    plain = chunk(b"tEXt", b"Comment\0" + b"a" * (3 << 20))
    require(png_with(*(text(3, key=b"part%d" % number) for number in range(10))), 1, "ten texts")
    require(png_with(plain, chunk(b"prVt", bytes(3 << 20)), chunk(b"eXIf", block() + bytes(3 << 20))), 6, "plain, private, EXIF")
    require(webp(block() + bytes(3 << 20)), 6, "webp")
    comments = b"".join(segment(0xFE, b"a" * 65_533) for _ in range(50))
    require(JPEG[:2] + comments + JPEG[2:], 1, "jpeg")
    require(encoded("GIF", comment=b"a" * (3 << 20)), 1, "gif")


def test_texts_are_read_within_a_bound() -> None:
    with pytest.raises(DataError, match="cannot be decoded"):
        read_image(io.BytesIO(png_with(text((MAX_TEXT_BYTES >> 20) + 1))))


def test_a_folder_with_such_images_is_examined(tmp_path: Path) -> None:
    folder = write_images(tmp_path, classes=2)
    (folder / "class0" / "camera.jpg").write_bytes(jpeg(block(filled(SOFTWARE, 5, 1, b"\x07\0\0\0\x03\0\0\0"))))
    (folder / "class1" / "scan.tif").write_bytes(tiff())
    (folder / "class1" / "edited.png").write_bytes(png_with(text(3)))
    report = examine(ImageFolder(path=folder).read(0), lambda done, images: None)
    assert not report.broken
    assert set(report.examples[Repair.TURNED]) == {"class0/camera.jpg", "class1/scan.tif"}
