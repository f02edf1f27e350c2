"""What the classes of a dataset are called: names in NumPy files and tables, and names that are nearly the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tl_core.data.class_names import alike, matched, printable_names
from tl_core.datasets import Data
from tl_core.datasets.csv_text import CsvText
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError
from tl_core.notes import sentences

X = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), dtype=np.uint8)
Y = np.arange(40) % 2


def load(tmp_path: Path, **arrays: Any) -> Data:
    given: dict[str, Any] = {"x": X, "y": Y} | arrays
    np.savez(tmp_path / "images.npz", **given)
    return NumpyArrays(path=tmp_path / "images.npz").load(0)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (np.array("cat, dog"), r"class_names is not one whole number or one text for each class.*Received: <U8 \(\)"),
        (np.array(7), r"class_names is not one whole number or one text for each class"),
        (np.array([["cat", "dog"]]), r"class_names is not one whole number or one text for each class.*Received: <U3 \(1, 2\)"),
        (np.array([0.5, 1.5]), r"class_names is not one whole number or one text for each class"),
        (np.array(["cat", "dog"], dtype=object), "holds Python objects.*are never read"),
        (np.array([b"caf\xe9", b"dog"]), "A label is bytes that are no text in UTF-8"),
        (np.array(["cat", " "]), "The name of a class is blank"),
        (np.array(["cat", "d" * 201]), "has 201 characters, and at most 200 are the name of a class"),
        (np.array(["cat"]), "There are 1 class names, and labels from 0 to 1"),
        (np.array([], dtype=str), "There are 0 class names, and labels from 0 to 1"),
    ],
)
def test_class_names_that_are_none(names: np.ndarray, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        load(tmp_path, class_names=names)


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (np.array([b"cat", b"dog"]), ("cat", "dog")),
        (np.array(["café".encode(), b"dog"]), ("café", "dog")),
        (np.array([["cat"], ["dog "]]), ("cat", "dog")),
        (np.array([10, 20]), ("10", "20")),
        (np.array([False, True]), ("False", "True")),
    ],
)
def test_class_names_as_people_save_them(names: np.ndarray, read: tuple[str, ...], tmp_path: Path) -> None:
    assert load(tmp_path, class_names=names).class_names == read


def test_two_classes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    data = load(tmp_path, y=np.arange(40) % 4, class_names=np.array(["crane", "dog", "crane", "crane (2)"]))
    assert data.class_names == ("crane", "dog", "crane (2)", "crane (2) (3)")
    assert sentences(data.notes) == ("Classes of one name, told apart by a number: crane (2), crane (2) (3).",)


@pytest.mark.parametrize(
    "labels",
    [
        np.where(Y, "dog", "cat"),
        np.where(Y, b"dog", b"cat"),
        np.where(Y, " dog", "cat ")[:, None],
        np.where(Y, "dog", "cat").astype("S3"),
    ],
)
def test_labels_that_are_text(labels: np.ndarray, tmp_path: Path) -> None:
    assert load(tmp_path, y=labels).class_names == ("cat", "dog")
    ordered = load(tmp_path, y=labels, class_names=np.array(["dog", "cat"]))
    assert ordered.class_names == ("dog", "cat")
    assert np.array_equal(np.bincount(ordered.train.labels), [13, 13])
    cats = {pixels.tobytes() for pixels in X[::2]}
    assert all((ordered.train.read(i).tobytes() in cats) == label for i, label in enumerate(ordered.train.labels))
    with pytest.raises(DataError, match=r"A label is none of the class_names.*Received: cat"):
        load(tmp_path, y=labels, class_names=np.array(["dog", "bird"]))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.where(Y, "dog", " "), "The name of a class is blank"),
        (np.array([b"\xff", b"a"] * 20), r"A label is bytes that are no text in UTF-8.*Received: b'.xff'"),
        (np.eye(2)[Y], r"y is not one whole number or one text for each image.*argmax"),
        (Y.astype("M8[s]"), r"y is not one whole number or one text for each image"),
        (np.array(0), r"y is not one whole number or one text for each image"),
        (np.zeros((0,), int), "There are 40 train images and 0 labels"),
        (np.full(80, 2**31 - 1, np.uint32).view("U2"), r"y is not one whole number or one text for each image"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_labels_that_are_none(labels: np.ndarray, sentence: str, named: bool, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        load(tmp_path, y=labels, **({"class_names": np.array(["cat", "dog", " x"])} if named and "blank" not in sentence else {}))


def test_whole_numbers_of_any_size_and_kind_are_one_class_in_every_split(tmp_path: Path) -> None:
    large = np.array([2**64 - 1, 3], np.uint64)
    np.savez(tmp_path / "a.npz", x_train=X, y_train=large[Y], x_test=X[:4], y_test=np.array([3, 3, 3, 3], np.int8))
    data = NumpyArrays(path=tmp_path / "a.npz").load(0)
    assert data.class_names == ("3", str(2**64 - 1))
    assert data.test.labels.tolist() == [0] * 4
    assert load(tmp_path, y=Y.astype(">i8"), class_names=np.array(["cat", "dog"])).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    "names",
    [
        ("-1", "0", "1"),
        ("+1", "1", "-1"),
        ("a-b", "ab"),
        ("C", "C++", "C#", "C-"),
        ("A-", "A", "A+"),
        ("_", "-", "__"),
        ("cat", "cat_"),
        ("1.5", "15", "-1.5"),
        ("\u2212one", "one"),
    ],
)
def test_signs_are_part_of_a_name(names: tuple[str, ...]) -> None:
    assert alike(names) == []


@pytest.mark.parametrize(
    "names", [("black cat", "black_cat"), ("A", "a"), ("Black - cat", "black-cat"), ("cat", " cat"), ("e\u0301", "É")]
)
def test_names_that_are_nearly_the_same(names: tuple[str, ...]) -> None:
    assert sentences(alike(names)) == (f"Classes with nearly the same name, used as different ones: {' and '.join(names)}.",)


def test_labels_around_zero_say_nothing(tmp_path: Path) -> None:
    data = load(tmp_path, y=np.arange(40) % 3 - 1)
    assert data.class_names == ("-1", "0", "1")
    assert data.notes == ()


def test_many_names_are_shown_quickly() -> None:
    assert len(set(printable_names(["same\x00", "same\\x00"] * 20_000))) == 40_000


def test_two_forms_of_one_label_are_one_class(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"number {n}" for n in range(40)], "label": ["café", "cafe\u0301", "tea", "tea "] * 10})
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = CsvText(path=tmp_path / "a.csv").load(0)
    assert data.class_names == ("café", "tea")
    assert sentences(data.notes) == ("Labels that differ only in how Unicode writes them are one class: 1.",)


def test_bytes_in_a_parquet_table_are_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"number {n}".encode() for n in range(40)], "label": [b"cat", b"dog"] * 20})
    frame["picture"] = [b"\xff\xd8\xff"] * 40
    frame.to_parquet(tmp_path / "a.parquet")
    data = CsvText(path=tmp_path / "a.parquet").load(0)
    assert data.class_names == ("cat", "dog")
    assert data.train.read(0).startswith("number ")
    with pytest.raises(DataError, match="There is no column 'picture'"):
        CsvText(path=tmp_path / "a.parquet", text_column="picture").load(0)


def test_whole_numbers_with_gaps_stay_whole_in_a_parquet_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"number {n}" for n in range(41)], "label": pd.array([0, 1] * 20 + [None], "Int64")})
    frame.to_parquet(tmp_path / "a.parquet")
    data = CsvText(path=tmp_path / "a.parquet").load(0)
    assert data.class_names == ("0", "1")


@pytest.mark.parametrize(
    ("names", "known", "found"),
    [
        (["b", "a"], ["a", "b", "c"], [1, 0]),
        (["Cat", "guinea-pig", "cafe\u0301"], ["cat", "Guinea pig", "caf\u00e9"], [0, 1, 2]),
        (["A"], ["a", "b"], [0]),
        (["A", "a"], ["a", "b"], [None, 0]),
        (["A"], ["a", "a "], [None]),
        (["CAT", "Cat"], ["cat"], [None, None]),
        (["zebra", "-1"], ["horse", "1"], [None, None]),
    ],
)
def test_names_are_matched_where_nothing_is_open(names: list[str], known: list[str], found: list[int | None]) -> None:
    assert matched(names, known) == found
