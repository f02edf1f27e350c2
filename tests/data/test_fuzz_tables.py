"""Tables and NumPy files as people and programs write them: what is read is what was meant, and anything else is one sentence."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.test_fuzz import fuzzed
from tl_core.data.class_names import label_text
from tl_core.datasets import Data
from tl_core.datasets.csv_text import CsvText
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError, TransferError, printable

FEW, MANY = 60, 3_000
LABELS = (
    "cat",
    "dog",
    "a-b",
    "-1",
    "+1",
    "1",
    "01",
    "NA",
    "None",
    "nan",
    "größe",
    "猫",
    "C",
    "C#",
    "x, y",
    "x;y",
    'the "best"',
    " z ",
)
COLUMNS = {"text": ("text", "Text ", " TEXT", "sentence"), "label": ("label", "LABEL", " Class", "target ")}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "shift_jis")


def loaded(dataset: CsvText | NumpyArrays) -> "Data[Any] | None":
    """The data; None where one sentence says why there are none."""
    try:
        return dataset.load(0)
    except TransferError as error:
        assert isinstance(error, DataError)
        assert "\n" not in str(error)
        assert len(str(error)) > 20
        return None


def labelled(data: Data[Any], key: Callable[[Any], Any]) -> dict[Any, str]:
    """The name of the class of each example, by a `key` of what is read of it."""
    splits = data.splits.values()
    return {key(of.read(index)): data.class_names[of.labels[index]] for of in splits for index in range(len(of))}


TABLES = st.fixed_dictionaries(
    {
        "separator": st.sampled_from(",;\t|"),
        "encoding": st.sampled_from(ENCODINGS),
        "ending": st.sampled_from([".csv", ".txt", ".tsv"]),
        "line": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "before": st.sampled_from(["", "\n", "\n\n", " \n"]),
        "blank": st.booleans(),
        "space": st.sampled_from(["", " "]),
        "names": st.tuples(*map(st.sampled_from, COLUMNS.values())),
        "labels": st.lists(st.sampled_from(LABELS), min_size=2, max_size=3, unique_by=label_text),
        "twice": st.sampled_from(["", "label", "fold", ""]),
    }
)


def written(file: Path, table: dict[str, Any]) -> dict[str, str]:
    """Write a table of 24 texts with their labels, and perhaps a column more; gives what it says."""
    rows = [(f"number {number}{table['separator']} ü", table["labels"][number % len(table["labels"])]) for number in range(24)]
    more = [table["twice"]] if table["twice"] else []
    out = io.StringIO()
    writer = csv.writer(out, delimiter=table["separator"], quoting=table["quoting"], lineterminator=table["line"])
    out.write(table["before"].replace("\n", table["line"]))
    for place, cells in enumerate(([*table["names"], *more], *([*row, *("other" for _ in more)] for row in rows))):
        writer.writerow(cells)
        out.write(table["line"] if table["blank"] and place % 5 == 0 else "")
    content = out.getvalue()
    if table["quoting"] == csv.QUOTE_ALL:
        content = content.replace(f'"{table["separator"]}"', f'"{table["separator"]}{table["space"]}"')
    encoding = table["encoding"]
    file.write_bytes(content.encode(encoding, "replace"))
    back = lambda text: text.encode(encoding, "replace").decode(encoding)  # noqa: E731
    return {back(text): label_text(back(label)) for text, label in rows}


def require_a_right_reading_of_a_table(table: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / f"a{table['ending']}"
    meant = written(file, table)
    data = loaded(CsvText(path=file))
    if data is not None:
        assert labelled(data, str) == meant
        assert bool(data.notes) == bool(table["twice"] == "fold" or (table["twice"] and "bel" not in table["names"][1].lower()))
        return
    unknown = table["encoding"] in {"latin-1", "cp1252", "shift_jis"}
    assert unknown or (table["ending"] == ".tsv" and table["separator"] != "\t") or table["twice"] == table["names"][1]


@fuzzed(FEW)
@given(table=TABLES)
def test_tables(table: dict[str, Any], tmp_path: Path) -> None:
    require_a_right_reading_of_a_table(table, tmp_path)


@pytest.mark.full
@fuzzed(MANY)
@given(table=TABLES)
def test_many_tables(table: dict[str, Any], tmp_path: Path) -> None:
    require_a_right_reading_of_a_table(table, tmp_path)


COUNT = 24
"""Images in a file, each of one brightness of its own."""
WHOLE = st.sampled_from([*"bhilqBHILQ?", ">i4", ">u8"])
RIGHT, WRONG = [(COUNT,), (COUNT, 1)], [(1, COUNT), (COUNT, 2), (), (COUNT - 1,), (COUNT, 1, 1)]
SHAPES = st.sampled_from([*RIGHT * 8, *WRONG])
WORDS = (*LABELS, "", "  ", "x" * 201, "a\x00b", "\x1b[0m", "\ud800", "e\u0301")


def array_of(drawn: tuple[str, list[Any]], shape: tuple[int, ...]) -> np.ndarray:
    """The values again and again, as an array of that shape and of their dtype."""
    kind, values = drawn
    filled = [values[place % len(values)] for place in range(int(np.prod(shape)))]
    if kind == "S":
        filled = [value.encode("utf-8", "surrogatepass") for value in filled]
    if kind == "latin-1":
        return np.array([value.encode("latin-1", "replace") for value in filled]).reshape(shape)
    return np.array(filled, dtype=kind).reshape(shape)


def numbers(kind: str) -> st.SearchStrategy[tuple[str, list[Any]]]:
    """Up to four whole numbers that `kind` holds, near 0 or anywhere."""
    if kind == "?":
        return st.just((kind, [False, True]))
    ends = np.iinfo(kind)
    near, far = st.integers(max(int(ends.min), -1), 3), st.integers(int(ends.min), int(ends.max))
    return st.tuples(st.just(kind), st.lists(near | near | far, min_size=2, max_size=4))


TEXTS = st.tuples(st.sampled_from(["U", "S", "latin-1"]), st.lists(st.sampled_from(WORDS), min_size=2, max_size=4))
OTHERS = st.sampled_from([("f", [0.0, 1.0]), ("d", [0.5, np.nan]), ("D", [0, 1]), ("M8[s]", [0, 1]), ("O", ["cat", 1])])
NUMBERS = WHOLE.flatmap(numbers)
VALUES = NUMBERS | NUMBERS | TEXTS | TEXTS | OTHERS
NAMES = st.none() | st.tuples(VALUES, st.sampled_from([(4,), (6,), (4, 1), (6,), (), (1,), (2, 2), (0,)]))


def require_a_right_reading_of_arrays(labels: Any, shape: tuple[int, ...], names: Any, tmp_path: Path) -> None:
    pixels = np.broadcast_to(np.arange(COUNT, dtype=np.uint8)[:, None, None], (COUNT, 4, 4))
    given_arrays = {"x": pixels, "y": array_of(labels, shape)}
    if names is not None:
        given_arrays["class_names"] = array_of(names[0], names[1])
    np.savez(tmp_path / "a.npz", **given_arrays)  # type: ignore[arg-type]
    data = loaded(NumpyArrays(path=tmp_path / "a.npz"))
    if data is None:
        return
    found, y = labelled(data, lambda image: int(image[0, 0, 0])), given_arrays["y"].reshape(-1).tolist()
    assert set(found) == set(range(COUNT))
    assert len(set(data.class_names)) == len(data.class_names)
    for place, value in enumerate(y):
        meant = label_text(value)
        if names is not None and not isinstance(value, str | bytes):
            meant = label_text(given_arrays["class_names"].reshape(-1).tolist()[value])
        assert found[place] == printable(meant) or found[place].startswith(f"{printable(meant)} (")


@fuzzed(FEW * 3)
@given(labels=VALUES, shape=SHAPES, names=NAMES)
def test_arrays(labels: Any, shape: tuple[int, ...], names: Any, tmp_path: Path) -> None:
    require_a_right_reading_of_arrays(labels, shape, names, tmp_path)


@pytest.mark.full
@fuzzed(MANY * 3)
@given(labels=VALUES, shape=SHAPES, names=NAMES)
def test_many_arrays(labels: Any, shape: tuple[int, ...], names: Any, tmp_path: Path) -> None:
    require_a_right_reading_of_arrays(labels, shape, names, tmp_path)
