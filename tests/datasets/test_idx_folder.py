"""IDX files, whole and damaged."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.data.formats.idx import read_idx, write_idx
from tl_core.datasets.idx_folder import IdxFolder
from tl_core.errors import DataError

REAL = os.environ.get("TRANSFER_LAB_TEST_MNIST")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_mnist(tmp_path / "mnist")


def write_mnist(folder: Path, mark: str = "-", end: str = "", train: int = 100) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name, count in (("train", train), ("t10k", 20)):
        write_idx(folder / f"{name}-images{mark}idx3-ubyte{end}", rng.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(folder / f"{name}-labels{mark}idx1-ubyte{end}", np.arange(count, dtype=np.uint8) % 10)
    return folder


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_all_spellings_give_the_same(tmp_path: Path, folder: Path, mark: str, end: str) -> None:
    other = write_mnist(tmp_path / "other", mark, end)
    assert IdxFolder(path=other).load(0).train.digest() == IdxFolder(path=folder).load(0).train.digest()


def test_a_link_counts_where_it_stays_in_the_folder(tmp_path: Path, folder: Path) -> None:
    images = folder / "train-images-idx3-ubyte"
    images.rename(folder / "kept")
    images.symlink_to(folder / "kept")
    assert len(IdxFolder(path=folder).load(0).train)
    (folder / "kept").rename(tmp_path / "elsewhere")
    images.unlink()
    images.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="A file of the dataset is missing: none of train-images-idx3-ubyte"):
        IdxFolder(path=folder).load(0)


def test_validation_is_a_share_of_training_and_may_be_empty(folder: Path) -> None:
    data = IdxFolder(path=folder, validation_share=0.2).load(0)
    assert (len(data.train), len(data.validation), len(data.test)) == (80, 20, 20)
    none = IdxFolder(path=folder, validation_share=0).load(0)
    assert (len(none.train), len(none.validation)) == (100, 0)
    assert none.validation.digest() == data.validation.take([]).digest()


def test_images_and_labels_stay_together(folder: Path) -> None:
    data = IdxFolder(path=folder).load(0)
    images = read_idx(folder / "train-images-idx3-ubyte", 3)
    place = {image.tobytes(): index for index, image in enumerate(images)}
    for split in (data.train, data.validation):
        for index in range(len(split)):
            assert place[split.read(index)[:, :, 0].tobytes()] % 10 == split.labels[index]


def test_the_folder_is_explained(folder: Path) -> None:
    with pytest.raises(DataError, match="No folder is chosen yet"):
        IdxFolder().load(0)
    with pytest.raises(DataError, match=r"does not exist.*spelling"):
        IdxFolder(path=folder / "nowhere").load(0)
    with pytest.raises(DataError, match="a folder is needed"):
        IdxFolder(path=folder / "train-images-idx3-ubyte").load(0)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"none of t10k-labels-idx1-ubyte, t10k-labels\.idx1-ubyte"):
        IdxFolder(path=folder).load(0)


def test_labels_must_fit(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte", np.arange(99, dtype=np.uint8) % 10)
    with pytest.raises(DataError, match="100 images and 99 labels"):
        IdxFolder(path=folder).load(0)
    write_idx(folder / "train-labels-idx1-ubyte", np.arange(100, dtype=np.uint8) % 26)
    assert IdxFolder(path=folder).load(0).class_names == tuple(map(str, range(26)))


@given(shape=st.lists(st.integers(0, 5), min_size=1, max_size=3), packed=st.booleans())
def test_idx_round_trip(tmp_path_factory: pytest.TempPathFactory, shape: list[int], packed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / ("round.gz" if packed else "round")
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_idx(path, array)
    assert np.array_equal(read_idx(path, len(shape)), array)


HEADER = struct.pack(">BBBBI", 0, 0, 8, 1, 3)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "does not begin"),
        (b"\x89PNG....", "does not begin"),
        (struct.pack(">BBBBI", 0, 0, 13, 1, 3) + b"abc", "type 0x0d"),
        (struct.pack(">BBBBII", 0, 0, 8, 2, 1, 3) + b"abc", "2 dimensions where 1"),
        (HEADER[:6], "ends inside its header"),
        (HEADER + b"ab", "announces 3 bytes and 2 follow"),
        (HEADER + b"abcd", "announces 3 bytes and more follow"),
        (struct.pack(">BBBBI", 0, 0, 8, 1, 2**32 - 1), "at most"),
    ],
)
@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_complains(tmp_path: Path, content: bytes, complaint: str, end: str) -> None:
    path = tmp_path / f"labels{end}"
    path.write_bytes(gzip.compress(content) if end else content)
    with pytest.raises(DataError, match=rf"{complaint}.*Download it again.*labels{end}"):
        read_idx(path, 1)


def test_a_file_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(path, np.zeros((40_000, 28, 28), np.uint8))  # 31 MB of zeros
    with pytest.raises(DataError, match=r"bytes would swell to 31,360,000"):
        read_idx(path, 3)
    write_idx(path, np.zeros((20_000, 28, 28), np.uint8))
    assert read_idx(path, 3).shape == (20_000, 28, 28)


def test_a_damaged_archive_is_said(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    whole = gzip.compress(HEADER + b"abc")
    for broken in (b"plain", whole[:-9], whole[:12] + b"\xff\xff\xff" + whole[15:]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="not a whole IDX file"):
            read_idx(path, 1)


@pytest.mark.skipif(REAL is None, reason="TRANSFER_LAB_TEST_MNIST does not name a folder with MNIST's IDX files")
def test_the_real_files() -> None:
    data = IdxFolder(path=Path(str(REAL))).load(0)
    assert len(data.train) + len(data.validation) == 60_000
    assert len(data.test) == 10_000
    assert data.train.read(0).shape == (28, 28, 3)
    assert set(data.test.labels) == set(range(10))
