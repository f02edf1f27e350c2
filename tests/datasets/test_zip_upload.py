"""Uploads: kept whole, once, until they are removed."""

import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from tests.data.test_archives import PETS, zipped
from tl_core.data.formats import uploads
from tl_core.datasets.zip_upload import ZipUpload
from tl_core.errors import DataError, TransferError
from tl_core.notes import sentences
from tl_core.system import settings


def brought(home: Path, tmp_path: Path, files: dict[str, bytes]) -> uploads.Upload:
    with zipped(tmp_path / "archive.zip", files).open("rb") as file:
        return uploads.keep(file, "my <pets>.zip", home, lambda _: None)


def test_an_upload_is_a_dataset(home: Path, tmp_path: Path) -> None:
    upload = brought(home, tmp_path, PETS | {"LICENSE": b""})
    dataset = ZipUpload(upload=upload.folder, validation_share=0)
    data = dataset.load(0)
    assert data.class_names == ("cats", "dogs")
    assert (len(data.train), len(data.test)) == (4, 2)
    assert sentences(data.notes) == ("Files that are neither images nor tables in the archive: 1 left out (LICENSE).",)
    assert dataset.location() == "the upload my <pets>.zip"
    settings.require_allowed(upload.folder)


def test_the_same_archive_is_unpacked_once(home: Path, tmp_path: Path) -> None:
    first, second = brought(home, tmp_path, PETS), brought(home, tmp_path, PETS)
    assert first.folder == second.folder
    assert uploads.kept(home) == [first]
    assert [path.name for path in settings.uploads(home).iterdir()] == [first.folder.name]


def test_an_upload_made_by_hand_leads_nowhere_else(home: Path, tmp_path: Path) -> None:
    upload = brought(home, tmp_path, PETS)
    upload.content.rename(tmp_path / "elsewhere")
    upload.content.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="This upload is not here any more"):
        ZipUpload(upload=upload.folder).load(0)


def test_a_removed_upload_is_told(home: Path, tmp_path: Path) -> None:
    upload = brought(home, tmp_path, PETS)
    uploads.remove(upload)
    assert uploads.kept(home) == []
    assert not list(settings.uploads(home).iterdir())
    with pytest.raises(DataError, match=r"This upload is not here any more\. Upload the archive again"):
        ZipUpload(upload=upload.folder).load(0)
    with pytest.raises(TransferError, match="cannot be removed"):
        uploads.remove(upload)


def test_nothing_is_registered_half_way(home: Path, tmp_path: Path) -> None:
    def leave(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with zipped(tmp_path / "archive.zip", PETS).open("rb") as file, pytest.raises(KeyboardInterrupt):
        uploads.keep(file, "pets.zip", home, leave)
    with pytest.raises(DataError, match="wants to lie outside"):
        brought(home, tmp_path, PETS | {"../out.png": b"x"})
    assert not list(settings.uploads(home).iterdir())
    assert uploads.kept(home) == []


def test_what_a_killed_process_left_is_deleted_after_a_day(home: Path, tmp_path: Path) -> None:
    old, new = (settings.uploads(home) / f".partial-{name}" for name in ("old", "new"))
    for folder, age in ((old, uploads.STALE_SECONDS + 60), (new, 60)):
        folder.mkdir(parents=True)
        (folder / "archive").touch()
        os.utime(folder, (time.time() - age,) * 2)
    brought(home, tmp_path, PETS)
    assert not old.exists()
    assert new.exists()


def test_a_stream_need_not_be_a_file(home: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in PETS.items():
            archive.writestr(name, content)
    written.seek(0)
    assert uploads.keep(written, "pets.zip", home, lambda _: None).files == 6


def test_none_is_chosen_yet() -> None:
    with pytest.raises(DataError, match="No archive is chosen yet"):
        ZipUpload().load(0)
