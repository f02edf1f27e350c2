"""Tables of texts and of numbers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import CommandLine
from tl_core.datasets import csv_table
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.errors import DataError, SettingError
from tl_core.notes import sentences
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

TEXTS = pd.DataFrame({"Review": [f"thing number {number}" for number in range(40)], "sentiment": ["good", "bad"] * 20})
NUMBERS = pd.DataFrame({"width": np.arange(40) / 7, "kind": ["x", "", "y", "z"] * 10, "target": ["no", "yes"] * 20})


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_texts(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"texts.{ending}"
    TEXTS.to_parquet(file) if ending == "parquet" else TEXTS.to_csv(file, index=False)
    data = CsvText(path=file).load(0)
    assert data.class_names == ("bad", "good")
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)
    number = int(data.train.read(0).split()[-1])
    assert data.class_names[data.train.labels[0]] == TEXTS["sentiment"][number]


def test_rows(tmp_path: Path) -> None:
    NUMBERS.to_csv(tmp_path / "table.csv", index=False)
    data = CsvTable(path=tmp_path / "table.csv").load(0)
    assert data.train.columns == ("width", "kind")
    assert sentences(data.notes)[:2] == ("Values missing in kind: 10.", "1 of 2 columns are numbers, the others words.")
    assert [note.about for note in data.notes[2:]] == [("kind",)]  # by which each class is known
    width, kind = data.train.read(0)
    assert isinstance(width, float)
    assert kind in {"x", "", "y", "z"}
    assert data.train.excerpt(0) == f"width = {width:g}, kind = {kind}"


def test_groups_and_splits(tmp_path: Path) -> None:
    TEXTS.assign(author=[str(number // 5) for number in range(40)]).to_csv(tmp_path / "texts.csv", index=False)
    data = CsvText(path=tmp_path / "texts.csv", validation_share=0).load(0)
    authors = [{int(texts.read(index).split()[-1]) // 5 for index in range(len(texts))} for texts in (data.train, data.test)]
    assert not authors[0] & authors[1]
    NUMBERS.assign(split=["train", "train", "test", "val"] * 10).to_csv(tmp_path / "table.csv", index=False)
    assert [len(rows) for rows in CsvTable(path=tmp_path / "table.csv").load(0).splits.values()] == [20, 10, 10]


def test_many_words_are_classes_and_many_numbers_are_not(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(1200), "target": [f"species {number % 200}" for number in range(1200)]})
    table.to_csv(tmp_path / "table.csv", index=False)
    assert len(CsvTable(path=tmp_path / "table.csv").load(0).class_names) == 200
    table.assign(target=table["x"] % 200).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=r"has 200 different values, too many.*regression"):
        CsvTable(path=tmp_path / "table.csv").load(0)
    table.assign(target=[f"number {number}" for number in range(1200)]).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match="has 1,200 different values, too many"):
        CsvTable(path=tmp_path / "table.csv").load(0)


def test_white_space_is_no_part_of_a_label(tmp_path: Path) -> None:
    TEXTS.assign(sentiment=["good", " bad", "good ", "bad", " "] * 8).to_csv(tmp_path / "texts.csv", index=False)
    data = CsvText(path=tmp_path / "texts.csv").load(0)
    assert data.class_names == ("bad", "good")
    assert sentences(data.notes) == ("Rows without a text or a label: 8 left out.",)
    NUMBERS.assign(target=["no", " yes", "no ", " "] * 10).to_csv(tmp_path / "table.csv", index=False)
    assert CsvTable(path=tmp_path / "table.csv").load(0).class_names == ("no", "yes")


def test_what_only_looks_like_numbers_stays_words(tmp_path: Path) -> None:
    columns = {"answer": ["True", "False"], "code": ["0x1f", "0x20"], "name": ["nan", "1"], "size": ["1e3", " 7 "]}
    table = pd.DataFrame({name: values * 20 for name, values in columns.items()} | {"n": range(40), "target": ["a", "b"] * 20})
    table.to_csv(tmp_path / "table.csv", index=False)
    data = CsvTable(path=tmp_path / "table.csv").load(0)
    assert {tuple(map(type, data.train.read(index))) for index in range(len(data.train))} == {(str, str, str, float, float)}


def test_a_table_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NUMBERS.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setattr(csv_table, "MOST_VALUES", 79)
    with pytest.raises(DataError, match=r"has more than 79 values\. Cut it"):
        CsvTable(path=tmp_path / "table.csv").load(0)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (NUMBERS.assign(target=np.arange(40) % 40), None),
        (pd.DataFrame({"x": range(200), "target": range(200)}), "has 200 different values, too many to be classes.*regression"),
        (NUMBERS[["target"]], "no column beside its target"),
        (NUMBERS.assign(target=""), "No row of the table has a target"),
        (NUMBERS[["width", "kind"]], "No column holds the target.*Name one of these: width, kind"),
    ],
)
def test_bad_tables(frame: pd.DataFrame, sentence: str | None, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=sentence or "too few examples"):
        CsvTable(path=tmp_path / "table.csv").load(0)


def test_bad_texts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No table is chosen yet"):
        CsvText().load(0)
    TEXTS.assign(Review=" ").to_csv(tmp_path / "texts.csv", index=False)
    with pytest.raises(DataError, match="No row of the table has a text and a label"):
        CsvText(path=tmp_path / "texts.csv").load(0)
    TEXTS.assign(sentiment=["", "good", "bad", "so"] * 10).to_csv(tmp_path / "texts.csv", index=False)
    assert sentences(CsvText(path=tmp_path / "texts.csv").load(0).notes) == ("Rows without a text or a label: 10 left out.",)


def test_no_run_begins_on_what_its_network_does_not_take(home: Path, tmp_path: Path) -> None:
    TEXTS.to_csv(tmp_path / "texts.csv", index=False)
    settings = {"dataset": "csv_text", "dataset.path": str(tmp_path / "texts.csv"), "backbone": "small_cnn"}
    with pytest.raises(SettingError, match=r"takes images, and the dataset holds texts\. Choose a network for them, such as "):
        Recipe.of(RunSpec().with_settings(settings)).require_runnable()
    done = CommandLine(home).run("train", *(f"--set={name}={value}" for name, value in settings.items()))
    assert done.code == 2
    assert "takes images, and the dataset holds texts" in done.err
