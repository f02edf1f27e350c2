"""Telling how far the digests of many files have come."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import write_images
from tl_core.data import hashing
from tl_core.data.images import DIGESTED
from tl_core.datasets import FileImages
from tl_core.datasets.image_folder import ImageFolder


def test_whoever_splits_by_content_is_told_how_far_it_has_come(tmp_path: Path) -> None:
    dataset = ImageFolder(path=write_images(tmp_path / "pets", classes=2, each=DIGESTED))
    told: list[tuple[int, int]] = []
    with hashing.reporting(lambda done, total: told.append((done, total))):
        splits = dataset.load(0).splits
    assert told == [(DIGESTED, 2 * DIGESTED), (2 * DIGESTED, 2 * DIGESTED)]
    assert {split: images.ids for split, images in dataset.load(0).splits.items()} == {s: i.ids for s, i in splits.items()}
    assert len(told) == 2  # nobody is told of what is done outside


def test_data_that_come_in_splits_are_not_read(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        write_images(tmp_path / "pets" / split, classes=2, each=3)
    told: list[tuple[int, int]] = []
    with hashing.reporting(lambda done, total: told.append((done, total))):
        ImageFolder(path=tmp_path / "pets").load(0)
    assert not told


def test_who_gives_up_reads_no_more(tmp_path: Path) -> None:
    """A browser that leaves, or another setting: the files may be of many gigabytes."""
    write_images(tmp_path / "pets", classes=2, each=1)
    source = next((tmp_path / "pets").rglob("*.png"))
    paths = tuple(tmp_path / f"{number}.png" for number in range(40 * DIGESTED))
    for path in paths:
        shutil.copy(source, path)
    read = list[int]()

    class Counted(FileImages):
        def _id(self, index: int) -> bytes:
            read.append(index)
            return super()._id(index)

    def leave(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with hashing.reporting(leave), pytest.raises(KeyboardInterrupt):
        assert Counted(paths, np.zeros(len(paths), np.int64)).ids
    assert len(read) < len(paths)
