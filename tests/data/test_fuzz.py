"""Archives and images with bytes changed, lost and added: what can be read is read, and anything else is one sentence.

`TRANSFER_LAB_FUZZ=50000 pytest -m full tests/data/test_fuzz.py` tries so many of each, 5,000 are usual.
"""

import contextlib
import io
import os
import shutil
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tl_core.data.decoding import read_image
from tl_core.data.formats.archives import Limits, unpack
from tl_core.errors import DataError

FEW, MANY = 200, int(os.environ.get("TRANSFER_LAB_FUZZ") or 5_000)


def fuzzed(examples: int) -> settings:
    """So many examples, the same each time, however long a busy machine takes."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=quiet)


KINDS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
SMALL = Limits(members=50, total_bytes=5_000_000, member_bytes=1_000_000)

Change = tuple[str, float, bytes]
"""What is done, where in the file (0..1), and with which bytes."""
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "insert", "delete", "cut", "copy"]), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=6,
)


def changed(content: bytes, changes: list[Change]) -> bytes:
    for what, where, given_bytes in changes:
        place = int(where * len(content))
        before, after = content[:place], content[place:]
        if what == "put":
            content = before + given_bytes + after[len(given_bytes) :]
        elif what == "insert":
            content = before + given_bytes + after
        elif what == "delete":
            content = before + after[given_bytes[0] :]
        elif what == "cut":
            content = before
        else:
            content = before + content[: given_bytes[0] * 4] + after
    return content


@cache
def image(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    written, picture = io.BytesIO(), Image.fromarray(pixels)
    more = {"save_all": True, "append_images": [picture.rotate(90)]} if kind in {"GIF", "WEBP", "TIFF"} else {}
    picture.save(written, kind, **more)
    return written.getvalue()


@cache
def archive(kind: str) -> bytes:
    written, files = io.BytesIO(), {f"{name}/{name}.{name}": image(name) for name in ("JPEG", "PNG", "GIF")}
    if kind == "zip":
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, content in files.items():
                zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    else:
        with tarfile.open(fileobj=written, mode="w:gz" if kind == "tar.gz" else "w", format=tarfile.PAX_FORMAT) as tarred:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.pax_headers = len(content), {"comment": "ü"}
                tarred.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def opened_files(folder: Path) -> list[Path]:
    """What this process has open below `folder`: elsewhere, threads that other tests left open and close files of their own."""
    open_now = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            open_now.append(descriptor.readlink())
    return [path for path in open_now if path.is_relative_to(folder)]


ARCHIVES = {"kind": st.sampled_from(["zip", "tar", "tar.gz"]), "changes": CHANGES}
IMAGES = {"kind": st.sampled_from(KINDS), "changes": CHANGES}


@fuzzed(FEW)
@given(**ARCHIVES)
def test_archives(kind: str, changes: list[Change], tmp_path: Path) -> None:
    require_whole_or_refused(kind, changes, tmp_path)


@pytest.mark.full
@fuzzed(MANY)
@given(**ARCHIVES)
def test_many_archives(kind: str, changes: list[Change], tmp_path: Path) -> None:
    require_whole_or_refused(kind, changes, tmp_path)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it reads all the same
@fuzzed(FEW)
@given(**IMAGES)
def test_images(kind: str, changes: list[Change], tmp_path: Path) -> None:
    require_pixels_or_a_sentence(kind, changes, tmp_path)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@fuzzed(MANY)
@given(**IMAGES)
def test_many_images(kind: str, changes: list[Change], tmp_path: Path) -> None:
    require_pixels_or_a_sentence(kind, changes, tmp_path)


def require_whole_or_refused(kind: str, changes: list[Change], tmp_path: Path) -> None:
    place = tmp_path / "place"
    (tmp_path / "archive").write_bytes(changed(archive(kind), changes))
    try:
        unpacked = unpack(tmp_path / "archive", place / "data", limits=SMALL)
    except DataError:
        assert not (place / "data").exists()
    else:
        assert unpacked.files == sum(path.is_file() for path in place.rglob("*"))
    assert {path.name for path in tmp_path.iterdir()} <= {"archive", "place", "home"}
    assert not place.exists() or {path.name for path in place.iterdir()} <= {"data"}
    assert not opened_files(tmp_path)
    shutil.rmtree(place, ignore_errors=True)


def require_pixels_or_a_sentence(kind: str, changes: list[Change], tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(changed(image(kind), changes))
    try:
        pixels = np.asarray(read_image(tmp_path / "image"))
    except DataError as error:
        assert str(error).startswith("This image cannot be decoded (")
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
    assert not opened_files(tmp_path)
