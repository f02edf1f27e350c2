"""A file is there whole, on the disk, before it has its name."""

import os
from pathlib import Path
from typing import Any

import pytest

from tl_core.errors import StorageError
from tl_core.system.files import write_whole


def test_the_content_reaches_the_disk_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel is asked for, in order: no test can cut the power."""
    asked: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        asked.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Any:
        asked.append(f"rename {path.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    write_whole(tmp_path / "a.txt", lambda path: path.write_text("new"))
    partial = f".partial-{os.getpid()}-a.txt"
    assert asked == [f"fsync {partial}", f"rename {partial}", f"fsync {tmp_path.name}"]
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_what_cannot_be_written_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"The file a\.txt cannot be written \(.*No space left.*\)\. Free some space"):
        write_whole(tmp_path / "a.txt", fail)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_place_that_is_none_is_told_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "gone" / "a", tmp_path / "file" / "a", tmp_path / "folder"):
        with pytest.raises(StorageError, match="Choose another file") as told:
            write_whole(place, lambda path: path.write_text("content", encoding="utf-8"))
        assert str(place) in str(told.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
