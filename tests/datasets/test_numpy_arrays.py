"""Arrays as people save them."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tl_core.datasets import Data
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError
from tl_core.notes import sentences

X = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
Y = np.arange(40) % 2


def load(tmp_path: Path, **arrays: Any) -> Data:
    np.savez(tmp_path / "images.npz", **arrays)
    return NumpyArrays(path=tmp_path / "images.npz").load(0)


def test_one_piece_is_split(tmp_path: Path) -> None:
    data = load(tmp_path, x=X, y=Y)
    assert data.class_names == ("0", "1")
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)


def test_given_splits_are_kept(tmp_path: Path) -> None:
    data = load(tmp_path, x_train=X[:30], y_train=Y[:30], x_test=X[30:], y_test=Y[30:], class_names=np.array(["cat", "dog"]))
    assert data.class_names == ("cat", "dog")
    assert data.test.ids == load(tmp_path, x_train=X[:30], y_train=Y[:30, None], x_test=X[30:], y_test=Y[30:]).test.ids
    assert len(data.test) == 10


@pytest.mark.parametrize("shape", [(40, 9, 8), (40, 9, 8, 1), (40, 9, 8, 4)])
def test_grey_and_clear_ones(shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert load(tmp_path, x=pixels, y=Y).train.read(0).shape == (9, 8, 3)


def test_numbers_are_scaled_and_that_is_told(tmp_path: Path) -> None:
    data = load(tmp_path, x=X / 255, y=np.where(Y, "dog", "cat"))
    assert data.class_names == ("cat", "dog")
    assert sentences(data.notes) == ("The pixels in x are float64 from 0 to 1, brought to 0 to 255.",)
    whole = {pixels.tobytes() for pixels in X}
    assert all(data.train.read(index).tobytes() in whole for index in range(len(data.train)))


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": X}, "lacks the images or their labels.*Received: a"),
        ({"x": X, "y": Y[:9]}, "There are 40 train images and 9 labels"),
        ({"x": X, "y": np.array([object()] * 40)}, "holds Python objects.*are never read"),
        ({"x": X.astype(float) * 7, "y": Y}, "neither bytes nor numbers in 0 to 1"),
        ({"x": X / 255 * np.nan, "y": Y}, "neither bytes nor numbers in 0 to 1"),
        ({"x": X.reshape(40, -1), "y": Y}, "holds no images"),
        ({"x": X.transpose(0, 3, 1, 2), "y": Y}, "Put the channels last"),
        ({"x": X, "y": Y + 0.5}, "not one whole number or one text"),
        ({"x": X, "y": Y + 5, "class_names": np.array(["a", "b"])}, "There are 2 class names, and labels from 5 to 6"),
    ],
)
def test_bad_arrays(arrays: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        load(tmp_path, **arrays)


def test_what_would_not_fit_is_not_read(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 224, 224, 3)})
    with zipfile.ZipFile(tmp_path / "images.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(DataError, match="would take 150,528,000,000 bytes"):
        NumpyArrays(path=tmp_path / "images.npz").load(0)


@pytest.mark.parametrize(
    ("shape", "names", "way", "sentence"),
    [
        ((-1, 9, 8), ("x",), zipfile.ZIP_STORED, "a negative length"),
        ((2, 9, 8), ("x", "x"), zipfile.ZIP_STORED, "have the same name"),
        ((2, 9, 8), ("x",), zipfile.ZIP_LZMA, "cannot be measured"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_header_that_lies(shape: tuple[int, ...], names: tuple[str, ...], way: int, sentence: str, tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "images.npz", "w", way) as archive:
        for name in names:
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(144))
    with pytest.raises(DataError, match=sentence):
        NumpyArrays(path=tmp_path / "images.npz").load(0)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "images.npz")
    with pytest.raises(DataError, match="This is no file"):
        NumpyArrays(path=tmp_path / "images.npz").load(0)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\3\4"])
def test_what_is_no_such_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "images.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"no .npz file that can be read"):
        NumpyArrays(path=tmp_path / "images.npz").load(0)
    with pytest.raises(DataError, match=r"no .npz file that can be read \(No such file"):
        NumpyArrays(path=tmp_path / "none.npz").load(0)
    with pytest.raises(DataError, match="No file is chosen yet"):
        NumpyArrays().load(0)
