"""Images: every colour mode, rotation, damage and size becomes RGB bytes or one clear sentence."""

import hashlib
import io
import os
import random
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tl_core.data import images
from tl_core.data.decoding import MAX_PIXELS, read_image
from tl_core.datasets import ArrayImages, Data, FileImages
from tl_core.errors import DataError, printable

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.new(mode, (7, 5)) if mode == "I;16" else Image.fromarray(COLOURS).convert("LAB" if mode == "LAB" else "RGB")
    image = grey if grey.mode == mode else grey.convert(mode)
    pixels = np.asarray(read_image(save(tmp_path / "image.tif", image)))
    assert pixels.shape == (5, 7, 3)
    assert pixels.dtype == np.uint8


def test_rotation_is_undone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = save(tmp_path / "plain.png", Image.fromarray(COLOURS))
    rotated = save(tmp_path / "rotated.png", Image.fromarray(COLOURS), exif=exif)
    assert np.array_equal(np.asarray(read_image(rotated)), np.rot90(np.asarray(read_image(plain)), -1))


def test_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    pixels = np.asarray(read_image(save(tmp_path / "ramp.png", Image.fromarray(ramp))))
    assert np.array_equal(pixels[:, :, 0], ramp >> 8)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_known_white_are_refused(tmp_path: Path, mode: str) -> None:
    with pytest.raises(DataError, match="32 bits"):
        read_image(save(tmp_path / "deep.tif", Image.new(mode, (4, 4), 3)))


def huge_png(side: int) -> bytes:
    """A PNG whose header announces `side` x `side` pixels, in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("least", "shape"), [(None, (600, 800)), (76, (150, 200)), (75, (75, 100)), (150, (150, 200)), (601, (600, 800))]
)
def test_a_photograph_may_come_smaller_and_is_the_same(tmp_path: Path, least: int | None, shape: tuple[int, int]) -> None:
    y, x = np.mgrid[:600, :800]
    smooth = np.stack([x * 255 // 800, y * 255 // 600, 128 + 100 * np.sin(x / 40)], axis=2).astype(np.uint8)
    path = save(tmp_path / "photo.jpg", Image.fromarray(smooth), quality=95)
    pixels = np.asarray(read_image(path, least))
    assert pixels.shape == (*shape, 3)
    expected = np.asarray(Image.fromarray(smooth).resize(shape[::-1], Image.Resampling.BOX))
    assert np.abs(pixels.astype(int) - expected).mean() < 2


def test_only_a_photograph_comes_smaller(tmp_path: Path) -> None:
    path = save(tmp_path / "drawing.png", Image.new("RGB", (400, 300)))
    assert read_image(path, 20).size == (400, 300)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("side", "complaint"), [(10_001, "at most 100,000,000 are read"), (60_000, "too much memory")])
def test_huge_images_are_refused_before_they_are_decoded(tmp_path: Path, side: int, complaint: str) -> None:
    assert side**2 > MAX_PIXELS
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(side))
    with pytest.raises(DataError, match=complaint):
        read_image(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "te\nxt.jpg").write_text("hello")
    for name, complaint in (("te\nxt.jpg", r"not an image.*te\\nxt"), ("gone.jpg", "No such file"), ("", "Is a directory")):
        with pytest.raises(DataError, match=complaint):
            read_image(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        b"DDS " + struct.pack("<3I", 124, 0x1007, 9) + bytes(112),
    ],
    ids=["EPS", "DDS"],
)
def test_a_file_of_another_kind_is_no_image_whatever_it_is_called(content: bytes, tmp_path: Path) -> None:
    """Pillow would hand the first to a program that runs whatever it says, and raise no error of ours for the second."""
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(DataError, match="not an image"):
        read_image(tmp_path / "photo.jpg")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "gif", "webp", "tiff"])
def test_damage_is_an_image_or_a_data_error(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "abc"
    whole = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(whole, kind, exif=exif)
    chance, path = random.Random(kind), tmp_path / "damaged"
    for attempt in range(300):
        content = bytearray(whole.getvalue())
        if attempt % 4 == 0:
            content = content[: chance.randrange(1, len(content))]
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(min(len(content), 300 if attempt % 2 else 10**9))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            pixels = np.asarray(read_image(path))
        except DataError:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3


def test_the_size_of_files_is_known_and_that_of_a_missing_one_is_told(tmp_path: Path) -> None:
    paths = tuple(save(tmp_path / f"{n}.png", Image.fromarray(COLOURS)) for n in range(2))
    images = FileImages(paths, np.array([0, 1]))
    assert images.file_bytes() == sum(path.stat().st_size for path in paths)
    paths[1].unlink()
    with pytest.raises(DataError, match=r"No such file.*1\.png"):
        images.file_bytes()


def test_digest_changes_with_content_label_and_order(tmp_path: Path) -> None:
    paths = tuple(save(tmp_path / f"{n}.png", Image.fromarray(COLOURS + n)) for n in range(3))
    images = FileImages(paths, np.array([0, 0, 1]))
    assert images.digest() == FileImages(paths, np.array([0, 0, 1])).digest()
    others = [images.take([0, 2, 1]), images.take([0, 1]), FileImages(paths, np.array([0, 1, 1]))]
    assert len({images.digest(), *(other.digest() for other in others)}) == 4
    paths[1].write_bytes(b"changed")
    assert images.digest() != FileImages(paths[:1] * 3, np.array([0, 0, 1])).digest()
    paths[1].unlink()
    with pytest.raises(DataError, match=r"No such file.*1\.png"):
        FileImages(paths[:2], np.array([0, 0])).digest()


def test_array_images() -> None:
    grey = ArrayImages(RNG.integers(0, 256, (4, 6, 5), dtype=np.uint8), np.array([0, 1, 0, 1]))
    mixed = ArrayImages([COLOURS, COLOURS[:2]], np.array([0, 1]))
    assert grey.read(1).shape == (6, 5, 3)
    assert mixed.read(1).shape == (2, 7, 3)
    assert mixed.take([1]).read(0).shape == (2, 7, 3)
    assert mixed.take([1, 0]).digest() != mixed.digest()
    assert len(grey.take([])) == len(mixed.take([])) == 0


def test_empty_splits() -> None:
    some, none = ArrayImages([COLOURS, COLOURS], np.array([0, 1])), ArrayImages([], np.array([], dtype=np.int64))
    assert len(Data(("a", "b"), some, none, some).validation) == 0
    for train, test, split in ((none, some, "train"), (some, none, "test")):
        with pytest.raises(DataError, match=f"The {split} split is empty"):
            Data(("a", "b"), train, none, test)
    with pytest.raises(DataError, match=r"at least two classes.*no class"):
        Data((), some, none, some)


@pytest.mark.parametrize(
    ("text", "shown"), [("é <b>", "é <b>"), ("a\tb", "a\\tb"), ("\x1b[0m", "\\x1b[0m"), ("\udcff", "\\udcff")]
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_data_are_cut_to_so_many_images_drawn_evenly() -> None:
    images = ArrayImages(np.arange(10, dtype=np.uint8).reshape(10, 1, 1), np.arange(10) % 2)
    whole = Data(("a", "b"), images, images.take([1, 2]), images)
    cut = whole.cut_to(4)
    assert isinstance(cut.train, ArrayImages)
    assert np.ravel(cut.train.pixels).tolist() == [0, 3, 6, 9]
    assert (len(cut.validation), len(cut.test)) == (2, 10)
    assert whole.cut_to(None) is whole
    assert whole.cut_to(10) == whole


def test_a_file_is_digested_again_once_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = tmp_path / "a.png", list[Path]()
    path.write_bytes(b"one")
    os.utime(path, (0, 0))  # which tools that copy do; it does not hide a change
    reading = images._digest
    monkeypatch.setattr(images, "_digest", lambda path: opened.append(path) or reading(path))  # type: ignore[func-returns-value]
    monkeypatch.setattr(images, "SETTLED_NS", 0)

    def digest() -> bytes:
        return FileImages((path,), np.zeros(1, np.int64)).ids[0]

    assert digest() == digest() == hashlib.sha256(b"one").digest()
    assert opened == [path]
    time.sleep(0.02)  # what disks call the same time may be four milliseconds long
    path.write_bytes(b"two")
    os.utime(path, (0, 0))
    assert digest() == hashlib.sha256(b"two").digest()
    monkeypatch.setattr(images, "SETTLED_NS", 10**12)  # whatever has just been changed is read each time
    assert digest() == digest()
    assert opened == [path] * 4
