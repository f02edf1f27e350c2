"""Splits beside train, validation and test: labelled ones of another domain, and examples without labels."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from tests.datasets.test_image_folder import fill, load
from tests.helpers import CommandLine, write_images
from tl_core.checks.advice import advice
from tl_core.checks.first_look import with_notes
from tl_core.checks.projection import map_of, sampled, sheet
from tl_core.checks.report import COPIES, Report
from tl_core.checks.scan import examine
from tl_core.data import exclusions
from tl_core.data.examples import Examples, Unlabelled
from tl_core.data.split_names import split_named
from tl_core.datasets import Data
from tl_core.datasets._table_data import TableSource
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.datasets.image_folder import ImageFolder
from tl_core.errors import DataError
from tl_core.notes import NoteKind, sentences


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Splits of two classes, with further ones."""
    root = tmp_path / "data"
    for split, count in (("train", 8), ("val", 2), ("test", 4), ("source", 5)):
        for name in ("cats", "dogs"):
            fill(root / split / name, count)
    fill(root / "Unlabeled", 3)
    fill(root / "Unlabeled" / "deeper" / "still", 4)
    return root


def test_folders_of_further_splits_are_read(folder: Path) -> None:
    data = load(folder)
    assert {split: len(examples) for split, examples in data.splits.items()} == {
        **{"train": 16, "validation": 4, "test": 8},
        **{"source": 10, "unlabelled": 7},
    }
    assert data.others["source"].labels.tolist() == [0] * 5 + [1] * 5
    assert sentences(data.notes) == (
        "There are 10 images in the split source, which nothing uses yet.",
        "There are 7 images in the split unlabelled, which nothing uses yet.",
    )


def test_what_has_no_labels_gives_none_and_is_like_others_in_all_else(folder: Path) -> None:
    extra = load(folder).others["unlabelled"]
    assert isinstance(extra, Unlabelled)
    assert not extra.is_labelled
    with pytest.raises(ValueError, match="have no labels"):
        extra.labels  # noqa: B018
    some = extra.take([4, 0])
    assert (len(some), some.ids) == (2, (extra.ids[4], extra.ids[0]))
    assert not some.is_labelled
    assert extra.subsample(3).read(0).shape == (9, 8, 3)
    assert repr(extra) == "UnlabelledFiles(7 examples)"
    assert extra.digest() != some.digest() != extra.take([0, 4]).digest()
    assert extra.grouped([b"a"] * 7).take([1]).groups == (b"a",)


def test_the_digest_of_three_splits_stays_and_each_further_one_counts(folder: Path) -> None:
    data = load(folder)
    digests = {replace(data, others=others).digest() for others in ({}, data.others, {"source": data.others["source"]})}
    assert len(digests) == 3
    turned = {split: data.others[split] for split in reversed(list(data.others))}
    assert replace(data, others=turned).digest() == data.digest()
    shutil.rmtree(folder / "source")
    shutil.rmtree(folder / "Unlabeled")
    assert load(folder).digest() == replace(data, others={}).digest()
    parts = ["cats", "dogs", *(data.splits[split].digest() for split in ("train", "validation", "test"))]
    assert load(folder).digest() == hashlib.sha256("\n".join(parts).encode()).hexdigest()  # as it was before there were others


def test_what_is_no_further_split_is_left_alone(folder: Path) -> None:
    fill(folder / "source" / "raw scans", 2)
    shutil.rmtree(folder / "Unlabeled")
    (folder / "unlabelled").mkdir()
    data = load(folder)
    assert list(data.splits) == ["train", "validation", "test"]
    assert sentences(data.notes) == (
        "Folders beside train, validation and test: 1 left out (unlabelled).",
        "The source split has classes without training examples and is left out: raw scans.",
    )
    assert split_named("source") is None


def test_classes_may_be_called_so(tmp_path: Path) -> None:
    for name in ("source", "unlabelled"):
        fill(tmp_path / name, 8)
    data = load(tmp_path)
    assert data.class_names == ("source", "unlabelled")
    assert list(data.splits) == ["train", "validation", "test"]
    assert not data.notes


def test_data_without_a_test_have_one_set_aside_and_keep_the_others(folder: Path) -> None:
    shutil.rmtree(folder / "test")
    data = load(folder)
    assert (len(data.train), len(data.test), len(data.others)) == (12, 4, 2)
    given = ImageFolder(path=folder).for_test(0)
    assert {split: len(examples) for split, examples in given.splits.items()} == {"train": 16, "validation": 4}


def test_what_is_left_out_is_not_tested_on(folder: Path, home: Path) -> None:
    """The list was made of the splits as they are for who learns from the data."""
    for split in ("test", "val"):
        shutil.rmtree(folder / split)
    data = load(folder)
    gone: dict[str, tuple[str, ...]] = {split: (data.splits[split].ids[0].hex(),) for split in ("train", "test")}
    listed = exclusions.keep(home, exclusions.Exclusions(gone=gone))
    given = ImageFolder(path=folder, left_out=listed).for_test(0)
    left = {split: set(examples.ids) for split, examples in given.splits.items()}
    assert sum(map(len, left.values())) == 14
    assert not set.union(*left.values()) & {bytes.fromhex(each) for listed in gone.values() for each in listed}


def test_runs_of_few_labels_and_previews_keep_them(folder: Path) -> None:
    data = with_notes(load(folder, labels_per_class=2))
    assert (len(data.train), list(data.others)) == (4, ["source", "unlabelled"])
    drawn = sampled(data)
    assert list(drawn.splits) == ["train", "validation", "test"]
    assert len(map_of(drawn, np.zeros((16, 2))).x) == 16
    assert sheet(drawn).any()


def told(data: Data[Any]) -> Report:
    report = examine(data, lambda done, count: None)
    kind = TypeAdapter(Report)
    assert kind.validate_json(kind.dump_json(report)) == report
    return report


def test_copies_in_further_splits_are_found_told_and_left_out(folder: Path, home: Path) -> None:
    shutil.copy(folder / "test" / "cats" / "000.png", folder / "Unlabeled" / "a.png")
    shutil.copy(folder / "train" / "dogs" / "000.png", folder / "Unlabeled" / "b.png")
    shutil.copy(folder / "test" / "dogs" / "001.png", folder / "source" / "cats" / "c.png")
    data = load(folder)
    report = told(data)
    assert report.counts["unlabelled"] == (9,)
    assert report.examined == sum(map(len, data.splits.values()))
    assert (report.shared("test", "unlabelled"), report.shared("test", "source"), report.leaked("test")) == (1, 0, 0)
    assert report.conflicting() == 2
    texts = [each.text for each in advice(report)]
    (leak,) = (text for text in texts if "in the split unlabelled" in text)
    assert leak.startswith("1 of the test images has a twin in the split unlabelled. Nothing uses that yet;")
    assert "For example cats/000.png (cats, test) and Unlabeled/a.png (no label, unlabelled)." in leak
    listed = exclusions.keep(home, report.to_leave_out(COPIES))
    rest = load(folder, left_out=listed)
    assert {split: len(examples) for split, examples in rest.splits.items()} == {
        **{"train": 16, "validation": 4, "test": 8},
        **{"source": 11, "unlabelled": 7},
    }
    assert NoteKind.LEFT_OUT_BY_CHOICE in {note.kind for note in rest.notes}
    done = CommandLine(home).call("examine", "--dataset", "image_folder", "--set", f"dataset.path={folder}", "--json")
    assert json.loads(done.out)["counts"]["unlabelled"] == [9]


def test_an_image_without_a_label_joins_no_two_classes(folder: Path) -> None:
    for name in ("train/cats/a.png", "train/dogs/b.png", "Unlabeled/c.png"):
        shutil.copy(folder / "test" / "cats" / "000.png", folder / name)
    report = told(load(folder))
    told_of = [(group.exact, group.conflicts, [member.split for member in group.members]) for group in report.groups]
    assert told_of == [
        (True, True, ["train", "train", "test", "unlabelled"]),
        (True, False, ["train", "test", "unlabelled"]),  # of cats
    ]
    assert report.conflicting() == 4


def rows(splits: Sequence[str]) -> dict[str, list[str]]:
    """Of each row its split, and a label but where it needs none."""
    labels = ["" if split.lower().startswith("unlab") else ["a", "b"][number % 2] for number, split in enumerate(splits)]
    return {"label": labels, "split": list(splits)}


@pytest.mark.parametrize("kind", [CsvText, CsvTable, CsvManifest])
def test_tables_name_further_splits(kind: type[TableSource], tmp_path: Path) -> None:
    splits = ["train"] * 12 + ["test"] * 6 + ["source"] * 4 + ["Unlabelled"] * 3 + ["unlabeled"] * 2
    files = sorted(str(file) for file in write_images(tmp_path / "images", classes=3, each=9).rglob("*.png"))
    texts = [f"number {number}" for number in range(27)]
    said: dict[type[TableSource], dict[str, Any]] = {CsvText: {"text": texts}, CsvTable: {"x": range(27)}}
    said[CsvManifest] = {"path": files}
    frame = pd.DataFrame(said[kind] | rows(splits) | {"patient": [f"p{number}" for number in range(27)]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = kind(path=tmp_path / "a.csv", validation_share=0).load(0)
    assert data.class_names == ("a", "b")
    sizes = {split: len(examples) for split, examples in data.splits.items()}
    assert sizes == {"train": 12, "validation": 0, "test": 6, "source": 4, "unlabelled": 5}
    extra: Examples = data.others["unlabelled"]
    assert not extra.is_labelled
    assert extra.groups == tuple(f"p{number}".encode() for number in range(22, 27))
    assert [note.kind for note in data.notes if note.kind is not NoteKind.COLUMN_TYPES] == [NoteKind.NOT_USED_YET] * 2
    assert told(data).counts["unlabelled"] == (5,)


def test_an_image_that_is_listed_with_and_without_a_label_keeps_it(tmp_path: Path) -> None:
    files = sorted(str(file) for file in write_images(tmp_path / "images", classes=2, each=8).rglob("*.png"))
    frame = pd.DataFrame({"path": [*files, *files[:3]], **rows([*["train"] * 12, *["test"] * 4, *["unlabelled"] * 3])})
    frame.to_csv(tmp_path / "a.csv", index=False)
    data = CsvManifest(path=tmp_path / "a.csv", validation_share=0).load(0)
    assert (len(data.train), len(data.test), data.others) == (12, 4, {})
    assert sentences(data.notes)[0].startswith("Rows of an image that was listed before: 3 left out")


def test_a_word_that_is_no_split_is_still_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"number {n}" for n in range(12)], **rows(["train"] * 10 + ["sauce"] * 2)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"source.*unlabelled.*Received: sauce"):
        CsvText(path=tmp_path / "a.csv").load(0)
