"""Pixels of arrays: whatever their type, shape and scale, they are read as they look, or one sentence says what is wrong."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tl_core.checks.first_look import with_notes
from tl_core.data.formats.idx import write_idx
from tl_core.data.scaling import as_bytes
from tl_core.datasets import Data
from tl_core.datasets.idx_folder import FILES, IdxFolder
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind, sentences

RNG = np.random.default_rng(0)
MASKS = RNG.integers(0, 2, (40, 9, 8), dtype=np.uint8)
BYTES = RNG.integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
LABELS = np.arange(40) % 2

TYPES = (
    "?",
    "u1",
    "i1",
    "<u2",
    ">u2",
    "<i2",
    "<u4",
    ">i4",
    "<u8",
    "<i8",
    "<f2",
    "<f4",
    ">f4",
    "<f8",
    "<g",
    "<c8",
    "U3",
    "S2",
    "M8[s]",
    "m8[s]",
)
SHAPES = (
    (),
    (3,),
    (3, 4),
    (3, 4, 5),
    (3, 4, 5, 1),
    (3, 4, 5, 2),
    (3, 4, 5, 3),
    (3, 4, 5, 4),
    (3, 4, 5, 5),
    (0, 4, 5),
    (3, 0, 5),
    (3, 3, 4, 5, 1),
)
TOPS = (0, 1e-8, 0.5, 1, 1.0000001, 1.5, 2, 16, 100, 127, 254, 255, 255.5, 256, 4095, 65535, 1e30, np.inf, np.nan, -1, -128)
"""The highest value of an array, or the lowest where it is below 0."""


def load(folder: Path, **arrays: Any) -> Data:
    np.savez(folder / "images.npz", **arrays)
    return NumpyArrays(path=folder / "images.npz").load(0)


def values_in(data: Data) -> set[int]:
    return {
        int(value) for images in data.splits.values() for index in range(len(images)) for value in np.unique(images.read(index))
    }


@pytest.mark.parametrize("kind", ["u1", "i8", "?", "f4", "f2"])
def test_zeros_and_ones_are_black_and_white(kind: str, tmp_path: Path) -> None:
    data = load(tmp_path, x=MASKS.astype(kind), y=LABELS)
    assert values_in(data) == {0, 255}
    assert sentences(data.notes) == (f"The pixels in x are {np.dtype(kind)} from 0 to 1, brought to 0 to 255.",)


def test_the_scale_is_that_of_all_arrays(tmp_path: Path) -> None:
    """An image, or a split, that is black by itself is black beside others, too."""
    dark = MASKS * 255
    dark[30:] = 0
    parts = {"x_train": dark[:30], "y_train": LABELS[:30], "x_test": dark[30:], "y_test": LABELS[30:]}
    assert values_in(load(tmp_path, **parts)) == {0, 255}
    parts |= {"x_train": MASKS[:30], "x_test": MASKS[30:] * 0}
    data = load(tmp_path, **parts)
    assert {int(data.test.read(index).max()) for index in range(len(data.test))} == {0}


@pytest.mark.parametrize("kind", ["u1", "f4"])
def test_arrays_of_one_type_on_two_scales_are_told(kind: str, tmp_path: Path) -> None:
    parts = {"x_train": BYTES[:30].astype(kind), "y_train": LABELS[:30], "y_test": LABELS[30:]}
    with pytest.raises(DataError, match=r"The pixels in x_test reach 1 and those in x_train 255\. Bring them to one scale"):
        load(tmp_path, **parts, x_test=np.minimum(BYTES[30:], 1).astype(kind))


def test_bytes_beside_fractions_are_both_read(tmp_path: Path) -> None:
    parts = {"y_train": LABELS[:30], "y_test": LABELS[30:], "x_train": BYTES[:30]}
    data = load(tmp_path, **parts, x_test=BYTES[30:] / 255)
    assert data.test.ids == load(tmp_path, **parts, x_test=BYTES[30:]).test.ids
    assert "The pixels in x_test are float64 from 0 to 1, brought to 0 to 255." in sentences(data.notes)


def test_a_rounding_error_above_one_is_one() -> None:
    images, _ = as_bytes({"x": MASKS * np.float32(1.0000001)})
    assert set(np.unique(images["x"])) == {0, 255}


@pytest.mark.parametrize("scale", [1, 1 / 255])
def test_alpha_is_laid_on_white(scale: float) -> None:
    pixels = np.array([[[[255, 0, 0, 0], [0, 0, 255, 255], [0, 0, 0, 51]]]])
    images, notes = as_bytes({"x": (pixels * scale).astype(np.uint8 if scale == 1 else np.float32)})
    assert images["x"].tolist() == [[[[255, 255, 255], [0, 0, 255], [204, 204, 204]]]]
    assert Note(NoteKind.ARRAY_TRANSPARENT, about=("x",)) in notes


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_fourth_channel_that_says_nothing_changes_nothing(alpha: int) -> None:
    images, notes = as_bytes({"x": np.concatenate([BYTES, np.full((40, 9, 8, 1), alpha, np.uint8)], axis=3)})
    assert np.array_equal(images["x"], BYTES)
    assert not notes


def test_idx_files_of_zeros_and_ones_are_black_and_white(tmp_path: Path) -> None:
    parts: tuple[NDArray[Any], ...] = (MASKS[:30], LABELS[:30], MASKS[30:], LABELS[30:])
    for name, part in zip(FILES, parts, strict=True):
        write_idx(tmp_path / f"{name}-idx{part.ndim}-ubyte", part.astype(np.uint8))
    data = IdxFolder(path=tmp_path, validation_share=0).load(0)
    assert values_in(data) == {0, 255}
    assert sentences(data.notes)[0] == "The pixels in the training images are uint8 from 0 to 1, brought to 0 to 255."


def read_or_told(arrays: dict[str, NDArray[Any]]) -> None:
    """Either the images are what the arrays say, or one sentence says what is wrong; nothing is read as black without a word."""
    try:
        images, notes = as_bytes(arrays)
    except DataError as error:
        assert str(error).endswith(")") or "Received: " in str(error)
        assert "\n" not in str(error)
        return
    for name, values in arrays.items():
        assert images[name].dtype == np.uint8
        assert images[name].shape == values.shape[:3] + ((3,) if values.shape[3:] not in {(), (1,)} else ())
        if not values.size or values.shape[3:] == (4,):
            continue
        low, high = float(values.min()), float(values.max())
        assert 0 <= low <= high <= 255
        highest = max(
            float(each.max()) for each in arrays.values() if each.size and (each.dtype.kind == "f") == (values.dtype.kind == "f")
        )
        scale = 255 if 0 < highest <= 1.001 else 1
        assert np.abs(images[name].reshape(-1).astype(float) - values.reshape(-1).astype(float) * scale).max() <= 0.51
        assert any(name in note.about for note in notes) == (scale == 255 or values.dtype != np.uint8)


def array(kind: str, shape: tuple[int, ...], top: float) -> NDArray[Any]:
    """An array of values up to `top`, as far as the type goes."""
    ramp = np.linspace(0, 1, int(np.prod(shape))).reshape(shape) * top
    with np.errstate(all="ignore"):
        return (ramp if np.dtype(kind).kind in "fc" else np.rint(ramp)).astype(kind)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_type_shape_and_scale_is_read_or_told() -> None:
    for kind, shape, top in product(TYPES, SHAPES, TOPS):
        read_or_told({"x": array(kind, shape, top)})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_two_arrays_are_read_or_told() -> None:
    numbers = [kind for kind in TYPES if np.dtype(kind).kind in "biuf"]
    for one, other, top, second in product(numbers, numbers, (0, 1, 16, 255, 4095), (0, 0.5, 1, 255)):
        read_or_told({"x_train": array(one, (2, 3, 3), top), "x_test": array(other, (2, 3, 3, 3), second)})


@pytest.mark.parametrize("top", [1, 16, 63])
def test_what_is_read_as_nearly_black_is_told(top: int, tmp_path: Path) -> None:
    pixels = RNG.integers(0, top + 1, (40, 40, 40), dtype=np.uint8)
    notes = sentences(with_notes(load(tmp_path, x=pixels, y=LABELS)).notes)
    assert any("brought to 0 to 255" in note if top == 1 else "nearly black" in note for note in notes)
