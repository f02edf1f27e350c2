"""Classes of which nothing is left, in all of a dataset or in one split: they are named, whatever the source."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers import write_images
from tl_core.data import exclusions
from tl_core.data.exclusions import Exclusions
from tl_core.datasets import Dataset
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.datasets.image_folder import ImageFolder
from tl_core.datasets.numpy_arrays import NumpyArrays
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind, sentences

X = np.random.default_rng(0).integers(0, 256, (40, 9, 8), dtype=np.uint8)


def arrays(file: Path, **given: Any) -> NumpyArrays:
    np.savez(file, **given)
    return NumpyArrays(path=file)


def manifest(folder: Path, **settings: Any) -> CsvManifest:
    """A table of the images in class folders of `folder`."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*.png"))
    pd.DataFrame({"path": paths, "label": [path.parent.name for path in paths]}).to_csv(folder / "a.csv", index=False)
    return CsvManifest(path=folder / "a.csv", **settings)


def test_a_class_that_a_split_lacks_is_named_in_every_source(tmp_path: Path) -> None:
    """The class c has training images alone, or test images alone."""
    images = write_images(tmp_path / "images", classes=3, each=8)
    table = pd.read_csv(manifest(images).path)
    table["split"] = ["train", "test"] * 12
    table.loc[table["label"] == "class2", "split"] = "train"
    table.to_csv(images / "a.csv", index=False)
    assert sentences(CsvManifest(path=images / "a.csv").load(0).notes)[-1] == "Classes without a test image: class2."
    table["text"] = [f"number {number}" for number in range(24)]
    table.drop(columns="path").to_csv(images / "a.csv", index=False)
    assert sentences(CsvText(path=images / "a.csv").load(0).notes)[-1] == "Classes without a test text: class2."
    y = np.arange(40) % 2
    split = {"x_train": X, "y_train": y, "x_test": X, "y_test": y, "x_val": X, "y_val": y}
    names = {"class_names": np.array(["a", "b", "c"])}
    notes = sentences(arrays(tmp_path / "a.npz", **split, **names).load(0).notes)
    assert notes == ("Classes without a training image: c.", "Classes without a test image: c.")
    notes = sentences(arrays(tmp_path / "a.npz", **(split | {"y_test": np.arange(40) % 3})).load(0).notes)
    assert notes == ("Classes without a training image: 2.",)


def test_many_lacking_classes_are_counted(tmp_path: Path) -> None:
    names = np.array([f"n{number}" for number in range(1000)])
    notes = sentences(arrays(tmp_path / "a.npz", x=X, y=np.arange(40) % 2, class_names=names).load(0).notes)
    assert notes[0] == "Classes without a training image: n2, n3, n4, n5, n6 and 993 more classes."


def test_a_class_that_is_left_out_whole_is_named(home: Path, tmp_path: Path) -> None:
    dataset = ImageFolder(path=write_images(tmp_path / "images", classes=3, each=8))

    def without(*labels: int) -> Dataset:
        splits = dataset.load(0).splits.items()
        gone = {split: tuple(np.array([each.hex() for each in of.ids])[np.isin(of.labels, labels)]) for split, of in splits}
        return dataset.model_copy(update={"left_out": exclusions.keep(home, Exclusions(gone=gone))})

    notes = sentences(without(1).load(0).notes)
    assert notes[-2:] == ("Classes without a training image: class1.", "Classes without a test image: class1.")
    with pytest.raises(
        DataError, match=r"needs at least two classes to learn from, and there is only one here.*Received: class0"
    ):
        without(1, 2).load(0)


def test_a_folder_of_nothing_but_links_is_named(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", classes=3, each=8)
    for file in (images / "class2").iterdir():
        shutil.move(file, tmp_path / file.name)
        file.symlink_to(tmp_path / file.name)
    assert "Class folders without an image: 1 left out (class2)." in sentences(ImageFolder(path=images).load(0).notes)


def test_a_class_without_a_usable_row_is_named(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", classes=4, each=8)
    dataset = manifest(images)
    shutil.rmtree(images / "class2")
    assert sentences(dataset.load(0).notes)[-1] == "Classes left out, since no row of theirs can be used: class2."
    frame = pd.DataFrame({"text": ["", "a", "b"] * 8, "label": ["none", "x", "y"] * 8})
    frame["text"] += [str(number) if number % 3 else "" for number in range(24)]
    frame.to_csv(tmp_path / "a.csv", index=False)
    notes = CsvText(path=tmp_path / "a.csv").load(0).notes
    assert notes[-1] == Note(NoteKind.CLASSES_WITHOUT_ROWS, (1,), ("none",))


@pytest.mark.parametrize("source", ["table of images", "table of texts", "table of numbers", "arrays", "folder"])
def test_advice_on_a_single_class_fits_the_source(source: str, tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", classes=1, each=8)
    frame = pd.DataFrame({"text": [f"number {number}" for number in range(8)], "number": range(8), "label": "class0"})
    frame.to_csv(tmp_path / "a.csv", index=False)
    datasets: dict[str, tuple[Dataset, str]] = {
        "folder": (ImageFolder(path=images), "Put one folder per class inside the dataset's folder."),
        "table of images": (manifest(images), "Add rows of another class, or name another column of labels."),
        "table of texts": (CsvText(path=tmp_path / "a.csv"), "Add rows of another class, or name another column of labels."),
        "table of numbers": (CsvTable(path=tmp_path / "a.csv"), "Add rows of another class, or name another column of labels."),
        "arrays": (
            arrays(tmp_path / "a.npz", x=X[:8], y=np.array(["class0"] * 8)),
            "Save images of another class, and labels of both.",
        ),
    }
    dataset, advice = datasets[source]
    with pytest.raises(DataError) as said:
        dataset.load(0)
    reason = "A classifier needs at least two classes to learn from, and there is only one here."
    assert str(said.value).startswith(reason)  # notes may follow
    assert str(said.value).endswith(f" {advice} Received: class0")


def test_no_examples_at_all_are_no_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is none here.*Received: no class"):
        arrays(tmp_path / "a.npz", x=X[:0], y=np.arange(0)).load(0)
