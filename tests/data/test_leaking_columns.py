"""Columns of a table that tell the label almost alone: which are named, and which are no news."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from tests.helpers import CommandLine, write_images
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.data.leaking_columns import MOST_ROWS, leaking
from tl_core.datasets import Dataset
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.datasets.image_folder import ImageFolder
from tl_core.notes import Note, NoteKind

N = 200
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, N)
NUMBER = RNG.normal(size=N)
SIDES = ["left", "right", "up", "down"]


def told(values: Any, labels: NDArray[Any] = LABELS) -> list[Note]:
    kind = NUMBERS if labels.dtype == float else CLASSES
    return leaking(pd.DataFrame({"other": np.asarray(values).astype(str)}), labels, kind)


CLASS_LEAKS: dict[str, Callable[[], Any]] = {
    "a name of the class": lambda: [SIDES[label] for label in LABELS],
    "a number of it": lambda: LABELS * 7 + 3,
    "several names of each class": lambda: [f"{label} {RNG.integers(5)}" for label in LABELS],
    "a measurement apart": lambda: LABELS + RNG.uniform(0, 0.9, N),
    "a name that two rows lack": lambda: ["" if row < 2 else SIDES[label] for row, label in enumerate(LABELS)],
}
NOTHING: dict[str, Callable[[], Any]] = {
    "noise": lambda: RNG.normal(size=N),
    "words of chance": lambda: RNG.choice(SIDES, N),
    "one value": lambda: ["same"] * N,
    "empty": lambda: [""] * N,
    "names of files that hold the class": lambda: [f"{SIDES[label]}_{row}.png" for row, label in enumerate(LABELS)],
    "half of the truth": lambda: np.where(RNG.random(N) < 0.5, LABELS, RNG.integers(0, 4, N)),
}


@pytest.mark.parametrize("values", CLASS_LEAKS.values(), ids=CLASS_LEAKS)
def test_what_tells_the_class_is_named(values: Callable[[], Any]) -> None:
    (note,) = told(values())
    assert (note.kind, note.about, note.numbers[1]) == (NoteKind.COLUMN_TELLS_CLASS, ("other",), N)
    assert 0.97 <= note.numbers[0] <= 1


@pytest.mark.parametrize("values", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("labels", [LABELS, NUMBER], ids=["classes", "numbers"])
def test_what_does_not_is_no_news(values: Callable[[], Any], labels: NDArray[Any]) -> None:
    assert not told(values(), labels)


def test_row_numbers_are_no_news_where_rows_are_sorted() -> None:
    assert not told(np.arange(N), np.sort(LABELS))
    assert not told(np.arange(N) + 1000, np.sort(NUMBER))


def test_what_tells_the_number_is_named() -> None:
    (note,) = told((NUMBER * 100000).round(), NUMBER)
    assert (note.kind, note.about) == (NoteKind.COLUMN_TELLS_NUMBER, ("other",))
    (note,) = told([f"about {number:.0f}" for number in NUMBER * 2], (NUMBER * 2).round())
    assert note.kind is NoteKind.COLUMN_TELLS_NUMBER
    assert not told(NUMBER + RNG.normal(size=N), NUMBER)
    assert told(100 * NUMBER, np.append(NUMBER[:-1], 9999.0))  # which a single number far away does not hide


def test_the_best_comes_first_and_few_rows_are_not_asked() -> None:
    frame = pd.DataFrame({"b": RNG.choice(SIDES, N), "c": LABELS + RNG.uniform(0, 0.95, N), "d": LABELS}).astype(str)
    frame.loc[::60, "d"] = "9"
    (note,) = leaking(frame, LABELS, CLASSES)
    assert {*note.about, *note.names} == {"c", "d"}
    assert not leaking(frame.iloc[:19], LABELS[:19], CLASSES)
    assert not leaking(frame[[]], LABELS, CLASSES)
    many = np.tile(LABELS, 40)
    (note,) = told(many, many)
    assert note.numbers == (1.0, MOST_ROWS)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_known_tables_have_no_leak(load: Callable[..., Any]) -> None:
    known = load(as_frame=True)
    labels = known.target.to_numpy()
    assert not leaking(known.data.astype(str), labels, NUMBERS if labels.dtype == float else CLASSES)


def tables(folder: Path) -> list[Dataset]:
    """A table of images, of texts and of rows, whose column `scanner` tells the class in its training rows alone, with a path
    that holds the class."""
    files = sorted(write_images(folder / "images", classes=2, each=20).rglob("*.png"))
    labels = [file.parent.name for file in files]
    splits = ["test" if number % 4 == 3 else "train" for number in range(40)]
    scanner = [label if split == "train" else "new" for label, split in zip(labels, splits, strict=True)]
    texts = [f"a text of number {number}" for number in range(40)]
    frame = pd.DataFrame({"path": files, "text": texts, "label": labels, "split": splits, "scanner": scanner})
    frame.to_csv(folder / "table.csv", index=False)
    frame[["text", "label", "split", "scanner"]].to_csv(folder / "rows.csv", index=False)
    return [
        CsvManifest(path=folder / "table.csv", images=folder, validation_share=0),
        CsvText(path=folder / "table.csv", validation_share=0),
        CsvTable(path=folder / "rows.csv", validation_share=0),
    ]


def test_every_table_says_it_of_its_training_rows(tmp_path: Path) -> None:
    for dataset in tables(tmp_path):
        data = dataset.load(0)
        (note,) = (note for note in data.notes if note.kind is NoteKind.COLUMN_TELLS_CLASS)
        assert (note.about, note.numbers) == (("scanner",), (1.0, 30))
        grouped = dataset.model_copy(update={"group_column": "scanner"}).load(0)  # as the note advises
        assert NoteKind.COLUMN_TELLS_CLASS not in {note.kind for note in grouped.notes}
        assert NoteKind.COLUMN_TELLS_CLASS not in {note.kind for note in dataset.for_test(0).notes}


def test_rows_that_are_set_aside_for_the_test_are_not_asked(tmp_path: Path) -> None:
    dataset = tables(tmp_path)[1].model_copy(update={"split_column": "none"})
    data = dataset.load(0)
    assert data.train.rows is not None
    assert len(data.train.rows) == len(data.train) < 40
    assert not {*data.train.rows.tolist()} & {*data.test.rows.tolist()}


def test_folders_of_classes_say_nothing_of_their_names(tmp_path: Path) -> None:
    files = write_images(tmp_path / "images", classes=2, each=20)
    for file in files.rglob("*.png"):
        file.rename(file.with_name(f"{file.parent.name}_{file.name}"))
    assert ImageFolder(path=files).load(0).notes == ()


def test_examine_says_it(tmp_path: Path, home: Path) -> None:
    tables(tmp_path)
    done = CommandLine(home).call("examine", "--dataset", "csv_text", "--set", f"dataset.path={tmp_path / 'table.csv'}", "--json")
    (note,) = (note for note in json.loads(done.out)["notes"] if "by itself" in note)
    assert note.startswith("The column scanner nearly tells the class by itself (balanced accuracy 1.00, ")
