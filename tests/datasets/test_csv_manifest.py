"""Tables that list images, as people have them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import write_images
from tl_core.datasets import Data
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.errors import DataError
from tl_core.notes import sentences


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    folder = write_images(tmp_path / "pets", classes=2, each=20)
    files = sorted(folder.rglob("*.png"))
    paths = [str(file.relative_to(tmp_path)) for file in files]
    return pd.DataFrame({"path": paths, "label": [file.parent.name for file in files]})


def load(frame: pd.DataFrame, tmp_path: Path, ending: str = "csv", **settings: object) -> Data:
    file = tmp_path / f"images.{ending}"
    if ending == "parquet":
        frame.to_parquet(file)
    else:
        frame.to_csv(file, sep="\t" if ending == "tsv" else ",", index=False)
    return CsvManifest.model_validate({"path": file, **settings}).load(0)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_all_kinds_of_tables(ending: str, table: pd.DataFrame, tmp_path: Path) -> None:
    data = load(table, tmp_path, ending)
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)
    assert data.notes == ()
    for index in range(len(data.train)):
        assert data.train.name(index).startswith(data.class_names[data.train.labels[index]])


def test_labels_are_text(table: pd.DataFrame, tmp_path: Path) -> None:
    table["label"] = np.where(table["label"] == table["label"].iloc[0], "001", "NA")
    assert load(table, tmp_path).class_names == ("001", "NA")


def test_splits_of_the_table_are_kept(table: pd.DataFrame, tmp_path: Path) -> None:
    table["Split"] = (["Train"] * 12 + ["val"] * 4 + ["TEST"] * 4) * 2
    data = load(table, tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 8, 8)
    with pytest.raises(DataError, match=r"names a split that is none.*Received: later"):
        load(table.assign(Split=["train", "later"] * 20), tmp_path)
    with pytest.raises(DataError, match="No row of the table is for training"):
        load(table.assign(Split="test"), tmp_path)


def test_a_group_stays_on_one_side(table: pd.DataFrame, tmp_path: Path) -> None:
    table["patient"] = [str(number // 4) for number in range(40)]
    data = load(table, tmp_path, validation_share=0.3)
    of_file = dict(zip(table["path"].str.removeprefix("pets/"), table["patient"], strict=True))
    sides = [{of_file[images.name(index)] for index in range(len(images))} for images in data.splits.values()]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    for images in data.splits.values():
        assert images.groups == tuple(of_file[images.name(index)].encode() for index in range(len(images)))
    assert load(table.drop(columns="patient"), tmp_path).train.groups is None
    torn = load(table.assign(split=["train", "test"] * 20), tmp_path)
    assert sentences(torn.notes)[0].startswith("10 groups are both in train and in another split of the table")


def test_groups_that_share_a_copy_are_on_one_side(table: pd.DataFrame, tmp_path: Path) -> None:
    table["patient"] = [f"{number // 2:02}" for number in range(40)]
    alone = load(table, tmp_path, validation_share=0.3)
    for patient in range(0, 19, 2):  # each second one has a picture of the next one
        shutil.copy(tmp_path / table["path"][2 * patient], tmp_path / table["path"][2 * patient + 2])
    data = load(table, tmp_path, validation_share=0.3)
    sides = [set(images.ids) for images in data.splits.values()]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert sentences(data.notes) == ("Groups that share a copy are kept on one side: 10 were joined with others.",)
    assert alone.notes == ()


def test_who_is_in_no_group_is_alone(table: pd.DataFrame, tmp_path: Path) -> None:
    """Blank cells are no group of their own, which would lie on one side as a whole."""
    table["patient"] = [f"{number // 4} " if number % 4 == 0 else " " * (number % 3) for number in range(40)]
    data = load(table, tmp_path, validation_share=0.3)
    alone = {path.removeprefix("pets/") for path in table["path"][table["patient"].str.strip() == ""]}
    for images in data.splits.values():
        assert alone & {images.name(index) for index in range(len(images))}


def test_what_is_left_out_is_told(table: pd.DataFrame, tmp_path: Path) -> None:
    more = pd.DataFrame({"path": ["pets/none.png", "", table["path"].iloc[0]], "label": ["x", "y", "z"]})
    more.loc[3] = ["pets/other.png", ""]
    data = load(pd.concat([table, more]), tmp_path)
    assert sentences(data.notes) == (
        "Rows without a path or a label: 2 left out.",
        "Images that are not there: 1 left out (pets/none.png).",
        f"Images listed with several labels, of which nobody knows the right one: 1 left out ({table['path'].iloc[0]}).",
        "Classes left out, since no row of theirs can be used: x, y, z.",
    )
    assert len(data.class_names) == 2


@pytest.mark.parametrize("path", ["/etc/hostname", "/etc/nothing.png", "../outside.png", "../none.png", "pets/link.png"])
def test_no_path_leads_out(path: str, table: pd.DataFrame, tmp_path: Path) -> None:
    place = tmp_path / "inside"
    place.mkdir()
    (tmp_path / "pets").rename(place / "pets")
    (tmp_path / "outside.png").touch()
    (place / "pets" / "link.png").symlink_to(tmp_path / "outside.png")
    table.loc[len(table)] = [path, "x"]
    with pytest.raises(DataError, match=r"leads out of the folder of the images.*Received: "):
        load(table, place)


def test_a_folder_for_the_images(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    with pytest.raises(DataError, match="None of the images in the table is there"):
        load(table, tmp_path / "tables")
    assert len(load(table, tmp_path / "tables", images=tmp_path).train) == 26


def test_columns_by_name(table: pd.DataFrame, tmp_path: Path) -> None:
    odd = table.rename(columns={"path": "wo", "label": "was"})
    with pytest.raises(DataError, match=r"No column holds the paths.*Name one of these: wo, was. Received: 2 columns"):
        load(odd, tmp_path)
    with pytest.raises(DataError, match="There is no column 'wer' for the labels"):
        load(odd, tmp_path, path_column="wo", label_column="wer")
    assert len(load(odd, tmp_path, path_column="wo", label_column="was").train) == 26


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"path,label\n", "has no rows"),
        (b"path,label\na,\xff\xfe\n", "cannot be read .*Save it as CSV in UTF-8"),
    ],
)
def test_bad_tables(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        CsvManifest(path=tmp_path / "images.csv").load(0)
    (tmp_path / "images.parquet").write_bytes(b"PAR1" + content)
    with pytest.raises(DataError, match="cannot be read"):
        CsvManifest(path=tmp_path / "images.parquet").load(0)
    with pytest.raises(DataError, match="This file does not exist"):
        CsvManifest(path=tmp_path / "none.csv").load(0)
    with pytest.raises(DataError, match="This is no table"):
        CsvManifest(path=tmp_path / "none.xlsx").load(0)
    with pytest.raises(DataError, match="No table is chosen yet"):
        CsvManifest().load(0)
