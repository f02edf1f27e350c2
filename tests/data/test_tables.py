"""Tables in files of several makes, whole and damaged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tl_core.data.formats import tables
from tl_core.data.formats.columns import Columns
from tl_core.data.formats.tables import classes_of, read_table, rows_of, split_of
from tl_core.errors import DataError

ROWS = [["001", "NA"], ["None", "two, or; three"], ["", "über"]]


def written(file: Path, separator: str = ",", encoding: str = "utf-8") -> Path:
    pd.DataFrame(ROWS, columns=["id", "said"]).to_csv(file, index=False, sep=separator, encoding=encoding)
    return file


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [
        ("a.csv", ",", "utf-8"),
        ("a.CSV", ",", "utf-8-sig"),
        ("a.csv", ";", "utf-8"),
        ("a.csv", "\t", "utf-16"),
        ("a.txt", ",", "utf-8"),
        ("a.txt", "\t", "utf-8"),
        ("a.tsv", "\t", "utf-8"),
    ],
)
def test_every_make_gives_the_same_words(name: str, separator: str, encoding: str, tmp_path: Path) -> None:
    frame = read_table(written(tmp_path / name, separator, encoding))
    assert frame.columns.tolist() == ["id", "said"]
    assert frame.to_numpy().tolist() == ROWS


def test_parquet_gives_words(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "kind": pd.Categorical(["a", "b"]), "label": ["yes", None]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").to_numpy().tolist() == [["1", "0.5", "a", "yes"], ["2", "", "b", ""]]
    frame.set_index("kind").to_parquet(tmp_path / "a.parquet")  # pandas hides a column that names the rows
    assert read_table(tmp_path / "a.parquet").columns.tolist() == ["kind", "n", "x", "label"]


def test_a_separator_between_quotes_separates_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"length, in cm, or inches";label\n"3,5";a\n')
    assert read_table(tmp_path / "a.csv").columns.tolist() == ["length, in cm, or inches", "label"]
    (tmp_path / "a.csv").write_text("label\na\nb\n")
    assert read_table(tmp_path / "a.csv")["label"].tolist() == ["a", "b"]


def test_rows_that_are_too_short_lack_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\none,a\ntwo\n")
    assert read_table(tmp_path / "a.csv").to_numpy().tolist() == [["one", "a"], ["two", ""]]


@pytest.mark.parametrize("rows", ["hello, world,a\n" * 3, "hello,a\nhello, world,a\n", "hello,a,\n" * 3])
def test_rows_that_are_too_long_are_never_shifted(rows: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}")
    with pytest.raises(DataError, match=r"This table cannot be read.*Put quotes around each value"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK", r"This is no table.*Give a file that ends in \.csv, \.tsv, \.txt, \.parquet"),
        ("none.csv", None, "This file does not exist"),
        ("a.csv", b"", "This table cannot be read"),
        ("a.csv", b"text,label\n", "This table has no rows"),
        ("a.csv", "text,label\nüber,a\n".encode("latin-1"), r"no text in UTF-8.*Save it as CSV in UTF-8"),
        ("a.csv", b"\xff\xfea", "This table cannot be read"),
        ("a.csv", b"label, label \na,b\n", "Two columns of this table are called label"),
        ("a.parquet", b"", "This table cannot be read"),
        ("a.parquet", b"PAR1" + bytes(100) + b"PAR1", "This table cannot be read"),
    ],
)
def test_what_is_no_table_is_said(name: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_table(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_table_has_limits(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"x": ["same"] * 40})
    frame.to_parquet(tmp_path / name) if name.endswith("parquet") else frame.to_csv(tmp_path / name, index=False)
    monkeypatch.setattr(tables, "MOST_ROWS", 40)
    assert len(read_table(tmp_path / name)) == 40
    monkeypatch.setattr(tables, "MOST_ROWS", 39)
    with pytest.raises(DataError, match="This table has more than 39 rows"):
        read_table(tmp_path / name)
    monkeypatch.setattr(tables, "MOST_BYTES", 10)
    with pytest.raises(DataError, match="This table has more than 10 bytes"):
        read_table(tmp_path / name)


@pytest.mark.parametrize("categorical", [False, True])
def test_a_small_file_that_stands_for_terabytes_is_not_laid_out(categorical: bool, tmp_path: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000_000, np.int32)), pa.array(["x" * 100_000]))
    schema = pa.schema([pa.field("text", words.type if categorical else pa.string())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema) as writer:
        if categorical:
            writer.write_table(pa.table({"text": words}))
        else:  # laid out in pieces, since it cannot be at once
            for _ in range(40):
                writer.write_table(pa.table({"text": words.slice(0, 600).cast(pa.string())}))
    assert (tmp_path / "a.parquet").stat().st_size < 2_000_000
    with pytest.raises(DataError, match=r"more than 2,000,000,000 bytes when it is unpacked"):
        read_table(tmp_path / "a.parquet")


def test_lists_and_records_are_no_columns(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["a"], "many": [["b"]], "record": [{"c": 1}], "label": ["x"]}).to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").columns.tolist() == ["text", "label"]


def test_a_table_has_so_many_values_and_a_line_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a,b,c\n" + "1,2,3\n" * 10)
    monkeypatch.setattr(tables, "MOST_VALUES", 30)
    assert len(read_table(tmp_path / "a.csv")) == 10
    monkeypatch.setattr(tables, "MOST_VALUES", 29)
    with pytest.raises(DataError, match="This table has more than 29 values"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("," * 2_000_000)
    with pytest.raises(DataError, match=r"The first line of this table has more than 1,048,576 characters"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6), kept=st.floats(0.5, 1))
def test_a_damaged_table_is_read_or_said(ending: str, changes: list[tuple[float, int]], kept: float, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    frame = pd.DataFrame({"text": [f"number {number}" for number in range(20)], "label": ["a", "b"] * 10})
    frame.to_parquet(file) if ending == "parquet" else frame.to_csv(file, index=False)
    content = bytearray(file.read_bytes())
    for where, value in changes:
        content[int(where * (len(content) - 1))] = value
    file.write_bytes(content[: int(kept * len(content))])
    try:
        read_table(file)
    except DataError:
        return


def test_columns_are_found() -> None:
    columns = Columns(pd.DataFrame({"Label": ["a"], "class": ["b"], "Text": ["c"]}, dtype=str), (), [])
    assert columns.find(None, ("class", "label"), "labels").tolist() == ["b"]  # type: ignore[union-attr]
    assert columns.find("Label", ("class",), "labels").tolist() == ["a"]  # type: ignore[union-attr]
    assert columns.find(None, ("split",), "splits") is None
    with pytest.raises(DataError, match=r"There is no column 'label' for the labels\. Name one of these: Label, class, Text\."):
        columns.find("label", (), "labels")
    with pytest.raises(DataError, match=r"No column holds the splits: none is called split, fold\. Name one of these"):
        columns.require(None, ("split", "fold"), "splits")
    wide = Columns(pd.DataFrame({f"c{number}": ["x"] for number in range(20)}), (), [])
    with pytest.raises(DataError, match=r"c11 and 8 more\. Received: 20 columns"):
        wide.require(None, ("label",), "labels")


def test_classes_have_names() -> None:
    names, codes = classes_of(pd.Series(["b", " a", "a ", "b\x00", "b\\x00"], dtype=str))
    assert names == ("a", "b", "b\\x00", "b\\x00 (3)")
    assert codes.tolist() == [1, 0, 0, 2, 3]
    assert codes.dtype == np.int64
    with pytest.raises(DataError, match=r"A label has 201 characters.*Received: x{40}\.\.\."):
        classes_of(pd.Series(["x" * 201], dtype=str))


@pytest.mark.parametrize(
    ("given_splits", "said"),
    [
        (["train", "tomorrow"], "A row names a split that is none.*tomorrow"),
        (["test", "dev"], "No row of the table is for training"),
    ],
)
def test_splits_are_checked(given_splits: list[str], said: str) -> None:
    read: Callable[[], object] = lambda: rows_of(split_of(pd.Series(given_splits, dtype=str), len(given_splits)))  # noqa: E731
    with pytest.raises(DataError, match=said):
        read()


def test_splits_have_many_names() -> None:
    rows = rows_of(split_of(pd.Series(["Train", "valid", " TEST ", "training", "dev"], dtype=str), 5))
    assert {split: where.tolist() for split, where in rows.items()} == {"train": [0, 3], "validation": [1, 4], "test": [2]}
    assert split_of(None, 2) == ["train", "train"]
