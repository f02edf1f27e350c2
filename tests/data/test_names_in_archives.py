"""Archives with nothing to use, and with folders that have another name once they are unpacked: both are told."""

import io
from pathlib import Path

import pytest

from tests.data.test_archives import PETS, gzipped, picture, zipped
from tl_core.data.formats import uploads
from tl_core.datasets.zip_upload import ZipUpload
from tl_core.errors import DataError
from tl_core.notes import sentences

RENAMED = "Folders whose names not every disk can hold have others"


def kept(tmp_path: Path, files: dict[str, bytes], title: str = "mine.zip") -> uploads.Upload:
    archive = zipped(tmp_path / "archive.zip", files)
    return uploads.keep(io.BytesIO(archive.read_bytes()), title, tmp_path / "home", lambda _: None)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, ""),
        ({"data.zip": b"PK"}, r" Archives within in the archive: 1 left out \(data\.zip\)\."),
        (
            {"a/1.heic": b"x", "a/2.heic": b"x"},
            r" Files that are neither images nor tables in the archive: 2 left out \(a/1\.heic",
        ),
        ({".hidden/1.png": b"x"}, r" Hidden files in the archive: 1 left out \(\.hidden/1\.png\)\."),
    ],
)
def test_an_archive_with_nothing_to_use_says_why(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(DataError, match=rf"no images and no tables\.{reason}.*Received: mine\.zip"):
        kept(tmp_path, files)


@pytest.mark.parametrize("name", [" ", "cats.", "cats\x01", "c" * 300])
def test_a_class_that_gets_another_name_is_told(tmp_path: Path, name: str) -> None:
    files = {f"{folder}/{number}.png": picture(number) for number, folder in enumerate([name, "dogs"] * 6)}
    data = ZipUpload(upload=kept(tmp_path, files).folder).load(0)
    renamed = next(each for each in data.class_names if each != "dogs")
    assert [note for note in sentences(data.notes) if note.startswith(f"{RENAMED}: 1 ({renamed} for ")]


def test_names_that_stay_need_no_word(tmp_path: Path) -> None:
    assert kept(tmp_path, PETS | {"caf\u00e9/1.png": picture(9), "a b/2.png": picture(8)}).notes == ()


def test_files_may_have_any_name(tmp_path: Path) -> None:
    archive = gzipped(tmp_path / "archive", PETS | {"cats/odd\x01.png": picture(9)})
    assert uploads.keep(io.BytesIO(archive.read_bytes()), "t", tmp_path / "home", lambda _: None).notes == ()
