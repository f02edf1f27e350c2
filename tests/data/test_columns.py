"""Columns that are found by their names and cannot be what these suggest, and paths as people write them."""

import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.helpers import write_images
from tl_core import datasets
from tl_core.datasets import Data
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.errors import DataError
from tl_core.notes import NoteKind, sentences
from tl_core.spec import RunSpec

ROWS = 40


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """20 images of each of two classes below `tmp_path`, by path and label."""
    write_images(tmp_path / "pets", classes=2, each=ROWS // 2)
    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    return pd.DataFrame({"path": paths, "label": [path.split("/")[1] for path in paths]}, dtype=str)


def load(table: pd.DataFrame, tmp_path: Path, **settings: Any) -> Data:
    table.to_csv(tmp_path / "images.csv", index=False)
    return CsvManifest(path=tmp_path / "images.csv", **settings).load(0)


def load_texts(table: pd.DataFrame, tmp_path: Path, **settings: Any) -> Data[Any]:
    """The same rows as texts."""
    table.rename(columns={"path": "text"}).to_csv(tmp_path / "texts.csv", index=False)
    return CsvText(path=tmp_path / "texts.csv", **settings).load(0)


FOLD = "The column fold is not used for the splits: it holds 0, 1, 2 and others, and no split."


@pytest.mark.parametrize("read", [load, load_texts])
def test_folds_are_no_splits(read: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    table["fold"] = [str(number % 5) for number in range(ROWS)]
    data = read(table, tmp_path)
    assert sentences(data.notes) == (FOLD,)
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)
    assert read(table, tmp_path, split_column="none").notes == ()
    with pytest.raises(DataError, match=r"split that is none, in the column fold.*dataset\.split_column=none.*Received: 0"):
        read(table, tmp_path, split_column="fold")


def test_no_split_column_is_a_setting_as_any_other(table: pd.DataFrame, tmp_path: Path) -> None:
    table["split"] = ["train", "later"] * (ROWS // 2)
    table.to_csv(tmp_path / "images.csv", index=False)
    spec = RunSpec().with_settings({"dataset": "csv_manifest", "dataset.path": str(tmp_path / "images.csv")})
    with pytest.raises(DataError, match=r"in the column split\. Use .*, or set dataset\.split_column=none.*Received: later"):
        datasets.build(spec.dataset).load(0)
    none = spec.with_settings({"dataset.split_column": "none"})
    assert datasets.build(none.dataset).load(0).notes == ()


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("set", ["A", "B"], "it holds A, B, and no split"),
        ("subset", [" ", ""], "it is empty"),
        ("split", ["1", "1"], "it holds 1, and no split"),
    ],
)
def test_what_is_no_split_column_is_left_alone(
    name: str, values: list[str], reason: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    table[name] = values * (ROWS // 2)
    told = f"The column {name} is not used for the splits: {reason}."
    assert sentences(load(table, tmp_path).notes) == (told,)
    table["Fold"] = (["train"] * 12 + ["val"] * 4 + ["test"] * 4) * 2
    data = load(table, tmp_path)
    assert sentences(data.notes) == (told,)
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 8, 8)


@pytest.mark.parametrize(("values", "reason"), [(["x"], "it holds x alone"), ([""], "it is empty")])
def test_what_tells_no_groups_apart_is_left_alone(values: list[str], reason: str, table: pd.DataFrame, tmp_path: Path) -> None:
    table["group"] = values * ROWS
    data = load(table, tmp_path)
    assert sentences(data.notes) == (f"The column group is not used for the groups: {reason}.",)
    assert data.train.groups is None
    assert len(data.test) == 10


def test_a_group_for_each_class_leaves_nothing_for_the_test(table: pd.DataFrame, tmp_path: Path) -> None:
    table["author"] = table["label"]
    with pytest.raises(DataError, match=r"No images can be set aside for the test: those of each class belong to one group"):
        load(table, tmp_path)
    (note,) = load(table, tmp_path, group_column="none").notes
    assert (note.kind, note.about) == (NoteKind.COLUMN_TELLS_CLASS, ("author",))
    assert load(table.drop(columns="label"), tmp_path, label_column="author").notes == ()  # it is used already


def test_copies_of_one_image_leave_nothing_for_the_test(table: pd.DataFrame, tmp_path: Path) -> None:
    for path in table["path"]:
        (tmp_path / path).write_bytes((tmp_path / path).with_name("0.png").read_bytes())
    with pytest.raises(DataError, match=r"those of each class are copies of one\. Add images that differ"):
        load(table, tmp_path)


def test_labels_are_what_can_be_labels(table: pd.DataFrame, tmp_path: Path) -> None:
    wide = table.rename(columns={"label": "class"}).assign(label="photo", y=[f"{number}.5" for number in range(ROWS)])
    data = load(wide, tmp_path)
    assert data.class_names == ("class0", "class1")
    assert sentences(data.notes) == ("The column label is not used for the labels: it holds photo alone.",)
    data = load(wide.rename(columns={"label": "other", "y": "label"}), tmp_path)
    assert sentences(data.notes) == ("The column label is not used for the labels: its 40 values are all different.",)
    assert len(load(wide, tmp_path, label_column="class").notes) == 0


def test_a_set_that_is_the_label_is_not_asked_for_splits(table: pd.DataFrame, tmp_path: Path) -> None:
    assert load(table.rename(columns={"label": "set"}), tmp_path, label_column="set").notes == ()


@pytest.mark.parametrize(
    ("others", "reason"),
    [("x{}", "none of its files is there"), ("/elsewhere/{}.png", "its paths lead out of the folder of the images")],
)
def test_paths_are_what_can_be_paths(others: str, reason: str, table: pd.DataFrame, tmp_path: Path) -> None:
    table["filename"], table["path"] = table["path"], [others.format(number) for number in range(ROWS)]
    data = load(table, tmp_path)
    assert len(data.train) == 26
    assert sentences(data.notes) == (f"The column path is not used for the paths of the images: {reason}.",)


def test_a_column_left_alone_in_a_table_of_numbers_is_a_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(ROWS), "fold": [number % 5 for number in range(ROWS)], "target": ["a", "b"] * (ROWS // 2)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = CsvTable(path=tmp_path / "a.csv").load(0)
    assert data.train.columns == ("x", "fold")
    assert sentences(data.notes)[0] == FOLD


@pytest.mark.parametrize(
    "spelled",
    [
        lambda path: f" {path} ",
        lambda path: f"\t{path}\u00a0",
        lambda path: f"./{path}",
        lambda path: path.replace("/", "\\"),
        lambda path: path.replace("pets/", "pets/../pets//"),
        lambda path: unicodedata.normalize("NFD", path),
    ],
)
def test_paths_as_people_write_them(spelled: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "pets" / "class0" / "0.png").rename(tmp_path / "pets" / "class0" / "é.png")
    table["path"] = table["path"].str.replace("class0/0.png", "class0/é.png")
    plain = load(table, tmp_path)
    assert load(table.assign(path=table["path"].map(spelled)), tmp_path).digest() == plain.digest()
    twice = pd.concat([table, table.assign(path=table["path"].map(spelled))])
    data = load(twice, tmp_path)
    assert data.digest() == plain.digest()
    assert sentences(data.notes)[0].startswith("Rows of an image that was listed before: 40 left out (")


def test_a_blank_that_is_part_of_a_name_is_found(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / table["path"].iloc[0]
    file.rename(file.with_name(" 0.png"))
    table.loc[0, "path"] = f"{file.parent.relative_to(tmp_path).as_posix()}/ 0.png"
    assert load(table, tmp_path).notes == ()


@pytest.mark.parametrize("spelled", ["{}", "./{}", " {}"])
def test_an_image_with_two_labels_is_left_out_and_told(spelled: str, table: pd.DataFrame, tmp_path: Path) -> None:
    first = table["path"].iloc[0]
    table.loc[ROWS] = [spelled.format(first), "class1"]
    data = load(table, tmp_path)
    assert sentences(data.notes) == (
        f"Images listed with several labels, of which nobody knows the right one: 1 left out ({first}).",
    )
    names = {images.name(index) for images in data.splits.values() for index in range(len(images))}
    assert len(names) == ROWS - 1
    assert first.removeprefix("pets/") not in names


def test_the_same_label_twice_is_no_conflict(table: pd.DataFrame, tmp_path: Path) -> None:
    table.loc[ROWS] = [table["path"].iloc[0], " class0 "]
    data = load(table, tmp_path)
    assert sentences(data.notes) == (f"Rows of an image that was listed before: 1 left out ({table['path'].iloc[0]}).",)


def test_nothing_but_conflicts_is_one_sentence(table: pd.DataFrame, tmp_path: Path) -> None:
    other = table.assign(label=table["label"].map({"class0": "class1", "class1": "class0"}))
    with pytest.raises(DataError, match=r"Every image in the table is listed with several labels.*Received: pets/class0/0\.png"):
        load(pd.concat([table, other]), tmp_path)
