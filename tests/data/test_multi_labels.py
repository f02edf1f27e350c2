"""Tables of examples with several labels: one column with | between them, or columns of 0 and 1, as people have them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.datasets import Data
from tl_core.datasets.csv_text import CsvText
from tl_core.errors import DataError
from tl_core.notes import sentences

SETS = ["sea|sky", "sky", "sea", "sand|sea", ""] * 8
ROWS = [[int(name in row.split("|")) for name in ("sand", "sea", "sky")] for row in SETS]


def load(columns: dict[str, Any], tmp_path: Path, ending: str = "csv", **settings: Any) -> Data[Any]:
    texts = {"text": [f"text number {row}" for row in range(len(next(iter(columns.values()))))]}
    frame, file = pd.DataFrame(texts | columns), tmp_path / f"texts.{ending}"
    frame.to_parquet(file) if ending == "parquet" else frame.to_csv(file, index=False)
    return CsvText.model_validate({"path": file, **settings}).labelled(MULTI_LABELS).load(0)


def in_columns() -> dict[str, list[int]]:
    return {name: [row[place] for row in ROWS] for place, name in enumerate(("sand", "sea", "sky"))}


def test_one_column_and_several_are_the_same_data(tmp_path: Path) -> None:
    one = load({"labels": SETS}, tmp_path)
    assert one.class_names == ("sand", "sea", "sky")
    assert one.train.labels.dtype == np.bool_
    assert [len(split) for split in one.splits.values()] == [27, 3, 10]
    assert sentences(one.notes) == ("Rows without any label, taken for examples that have none of them: 8.",)
    assert load(in_columns(), tmp_path).digest() == one.digest()
    assert load(in_columns(), tmp_path, "parquet").digest() == one.digest()
    assert load(in_columns() | {"price": range(40)}, tmp_path, label_column="sky | sand|sea").digest() == one.digest()
    other = load({"labels": ["|".join(reversed(row.split("|"))) for row in SETS]}, tmp_path)
    assert other.digest() == one.digest()


def test_labels_keep_their_shares(tmp_path: Path) -> None:
    data = load({"tags": SETS}, tmp_path)
    np.testing.assert_allclose(data.test.labels.mean(axis=0), np.mean(ROWS, axis=0), atol=0.05)


def test_columns_for_something_else_are_no_labels(tmp_path: Path) -> None:
    more = {"split": ["train", "train", "val", "test"] * 10, "group": ["0", "1"] * 20, "note": ["x"] * 40}
    data = load(in_columns() | more, tmp_path)
    assert data.class_names == ("sand", "sea", "sky")
    assert [len(split) for split in data.splits.values()] == [20, 10, 10]


def test_words_for_one_and_zero(tmp_path: Path) -> None:
    words = {name: [("True", "1.0")[row % 2] if one else ("false", "0")[row % 2] for row, one in enumerate(column)]
             for name, column in in_columns().items()}  # fmt: skip
    assert load(words, tmp_path).digest() == load(in_columns(), tmp_path).digest()


def test_rows_of_the_split_without_labels_may_be_blank(tmp_path: Path) -> None:
    split = ["train"] * 30 + ["test"] * 5 + ["unlabelled"] * 5
    blank = {name: [*column[:35], *[""] * 5] for name, column in in_columns().items()}
    data = load(blank | {"split": split}, tmp_path)
    assert [len(examples) for examples in data.splits.values()] == [27, 3, 5, 5]
    assert not data.others["unlabelled"].is_labelled


def test_what_was_mended_or_left_out_is_told(tmp_path: Path) -> None:
    mended = load({"labels": ["sea|sea", "sea| |sky", *SETS]}, tmp_path)
    assert "Rows that name a label twice, or leave a place between two of them blank: 2." in " ".join(sentences(mended.notes))
    assert mended.class_names == ("sand", "sea", "sky")
    empty = load(in_columns() | {"moon": [0] * 40}, tmp_path)
    assert "The column moon is not used for the labels: it holds 0 alone." in sentences(empty.notes)
    gone = {"text": ["", *[f"text {row}" for row in range(40)]], "labels": ["moon", *SETS]}
    assert "Labels left out, since no row of theirs can be used: moon." in sentences(load(gone, tmp_path).notes)


def test_a_label_that_no_training_example_has(tmp_path: Path) -> None:
    split = ["train"] * 40 + ["val", "test"]
    data = load({"labels": [*SETS, "sky", "moon|sky"], "split": split}, tmp_path)
    assert data.class_names == ("moon", "sand", "sea", "sky")
    assert sentences(data.notes)[-2:] == (
        "Labels that no training text has: moon.",
        "Labels that no test text has, so nothing is known of them: sand, sea.",
    )


def test_a_column_of_sentences_is_not_taken_for_labels(tmp_path: Path) -> None:
    data = load({"label": [f"a sentence of {row}" for row in range(40)]} | in_columns(), tmp_path)
    assert data.class_names == ("sand", "sea", "sky")
    assert sentences(data.notes)[0] == "The column label is not used for the labels: its 40 values are all different."


def test_who_reads_them_as_classes_is_told_of_the_task(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    pd.DataFrame({"text": [f"text {row}" for row in range(40)], "label": ["sea|sky", "sky"] * 20}).to_csv(table, index=False)
    notes = sentences(CsvText(path=table).load(0).notes)
    assert notes == ("Rows whose class has | in its name: 20. If these are several labels, choose the task multi_label.",)


WRITTEN = ["", "a", "b", " a|b", "b|a", "a||c", "|", "c ", "\u00e9|e\u0301", "1", "0", "x, y|z"]
CELLS = st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=10)


@given(CELLS.map(lambda cells: cells * 4))
def test_whatever_is_in_the_cells_is_read_or_refused_in_a_sentence(cells: list[str]) -> None:
    """With labels as they are meant: as many of each as there are rows that name it."""
    with TemporaryDirectory() as folder:
        try:
            data = load({"labels": cells}, Path(folder))
        except DataError as error:
            assert "Received: " in str(error) or "set aside" in str(error)
            return
    named = [{normalize("NFC", part).strip() for part in cell.split("|")} - {""} for cell in cells]
    counts = sum(of.labels.sum(axis=0) for of in (data.train, data.validation, data.test))
    assert counts.tolist() == [sum(name in row for row in named) for name in data.class_names]


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"labels": ["sea"] * 40}, {}, "To tell several labels takes two at least, and there is only one here.*Received: sea"),
    ({"labels": [""] * 39 + [" | "]}, {}, "takes two at least, and there is none here.*Received: 40 rows without any"),
    ({"labels": ["sea|sky"] * 40}, {}, "No training example has a label that another one lacks.*Received: 40 with sea, sky"),
    ({"sky": [0, 1] * 20}, {}, "No column holds the labels: none is called label"),
    ({"sky": [0, 1] * 20, "sea": [0, 2] * 20}, {"label_column": "sky|sea"}, "sea is to say 0 or 1, and 20 of its 40 values"),
    ({"sky": [0, 1] * 20, "sea": ["", 1] * 20}, {"label_column": "sky|sea"}, "are neither.*Received: nothing"),
    ({"sky": [0, 1] * 20}, {"label_column": "sky|moon"}, "There is no column 'moon' for the labels"),
    ({"a|b": [0, 1] * 20, "c": [0, 1, 1, 0] * 10}, {}, "has a | in its name"),
    ({"labels": [f"{row}|{row + 1}" for row in range(1200)]}, {}, "There are more than 1,000 different labels"),
]


@pytest.mark.parametrize(("columns", "settings", "said"), WRONG)
def test_mistakes_are_a_sentence(columns: dict[str, Any], settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said.replace("|", r"\|")):
        load(columns, tmp_path, **settings)


def test_some_labels_are_nested_draws_from_all(tmp_path: Path) -> None:
    few, more = (load({"labels": SETS}, tmp_path, labels_per_class=n).train for n in (4, 12))
    assert (len(few), len(more)) == (4, 12)
    assert set(few.ids) <= set(more.ids)
