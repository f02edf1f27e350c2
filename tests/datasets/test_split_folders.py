"""Folders of splits, as people name them, with and without classes; and the reason where no image is found."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.datasets.test_image_folder import fake, fill, load
from tl_core.data.formats import uploads
from tl_core.data.split_names import split_named
from tl_core.datasets.zip_upload import ZipUpload
from tl_core.errors import DataError
from tl_core.notes import sentences


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train Train TRAINING training_set train-set trainset trainSet TrainingSet train2017 train_images imgs.train 1_train",
        ),
        ("validation", "val val_set valid VALIDATION dev dev-set valImages validation_data val2017"),
        ("test", "test test_set TESTING test1 testset Test_Images images_test"),
        (None, "trainval train_val train_small test_a retrain tests set images 2017 contest latest devil été_test_x invalid"),
    ],
)
def test_a_split_by_its_name(split: str | None, names: str) -> None:
    assert {name: split_named(name) for name in names.split()} == dict.fromkeys(names.split(), split)
    assert split_named("Training set (photos)") == "train"


@pytest.mark.parametrize(
    "names", [("training_set", "val_set", "test_set"), ("Train", "Dev", "TESTING"), ("train2017", "val images", "Test Data")]
)
def test_splits_of_many_spellings_are_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, count in zip(names, (6, 2, 3), strict=True):
        for kind in ("cats", "dogs"):
            fake(tmp_path / name / kind, count)
    data = load(tmp_path)
    assert [len(examples) for examples in data.splits.values()] == [12, 4, 6]
    assert not data.notes


def test_of_several_the_plain_name_is_the_split(tmp_path: Path) -> None:
    for name in ("train", "test", "test_images", "val", "dev"):
        for kind in ("cats", "dogs"):
            fake(tmp_path / name / kind, 4)
    with pytest.raises(DataError, match=r"Several folders could be the validation split\..*Received: dev, val"):
        load(tmp_path)
    (tmp_path / "dev").rename(tmp_path / "later")
    data = load(tmp_path)
    assert len(data.test) == 8
    assert sentences(data.notes) == ("Folders beside train, validation and test: 2 left out (later, test_images).",)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "test"),
        ("train", "valid"),
        ("Training_Set", "val", "test"),
        ("train", "validation", "dev_set", "test"),
        ("train",),
    ],
)
def test_splits_without_classes_are_no_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        fake(tmp_path / name, 12)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "labels.csv").touch()
    told = r"These are splits without classes: .*\. Put one folder per class into each.*csv_manifest.*Received: "
    with pytest.raises(DataError, match=told) as raised:
        load(tmp_path)
    assert all(name in str(raised.value) for name in names)


def test_a_test_split_with_classes_does_not_help_a_bare_train(tmp_path: Path) -> None:
    fake(tmp_path / "train", 12)
    fake(tmp_path / "test" / "cats", 3)
    with pytest.raises(DataError, match="These are splits without classes: test and train"):
        load(tmp_path)


def test_without_a_training_split(tmp_path: Path) -> None:
    for name in ("val", "test"):
        for kind in ("cats", "dogs"):
            fake(tmp_path / name / kind, 4)
    with pytest.raises(DataError, match="There are no training images here, only splits: test and val"):
        load(tmp_path)


def test_among_class_folders_the_name_of_a_split_is_told(tmp_path: Path) -> None:
    for name in ("bus", "car", "test", "train"):
        fake(tmp_path / name, 8)
    data = load(tmp_path)
    assert data.class_names == ("bus", "car", "test", "train")
    assert "Folders named like splits are used as classes: test, train." in sentences(data.notes)


@pytest.mark.parametrize("ending", [".jfif", ".JPE", ".apng"])
def test_other_endings_of_the_same_formats_are_read(tmp_path: Path, ending: str) -> None:
    for kind in ("cats", "dogs"):
        for file in fill(tmp_path / kind, 6, ".png" if ending == ".apng" else ".jpg").iterdir():
            file.rename(file.with_suffix(ending))
    data = load(tmp_path)
    assert sum(map(len, data.splits.values())) == 12
    assert data.train.read(0).shape == (9, 8, 3)


def test_an_archive_keeps_them_as_well(tmp_path: Path, home: Path) -> None:
    for kind in ("cats", "dogs"):
        for file in fill(tmp_path / "pets" / kind, 6, ".jpg").iterdir():
            file.rename(file.with_suffix(".jfif"))
    archive = shutil.make_archive(str(tmp_path / "pets"), "zip", tmp_path / "pets")
    with Path(archive).open("rb") as packed:
        data = ZipUpload(upload=uploads.keep(packed, "pets.zip", home, lambda _: None).folder).load(0)
    assert sum(map(len, data.splits.values())) == 12


def reason(folder: Path) -> str:
    with pytest.raises(DataError) as raised:
        load(folder)
    assert "There are no images in class folders here." in str(raised.value)
    return str(raised.value)


def test_links_are_the_reason(tmp_path: Path) -> None:
    elsewhere = fake(tmp_path / "elsewhere", 3)
    for kind in ("cats", "dogs"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for file in elsewhere.iterdir():
            (tmp_path / "data" / kind / file.name).symlink_to(file)
    told = reason(tmp_path / "data")
    assert "Links that lead out of the dataset or nowhere: 6, such as cats/0000" in told
    assert "Links are followed to images inside this folder alone: copy what they lead to." in told


def test_linked_folders_are_the_reason(tmp_path: Path) -> None:
    fake(tmp_path / "elsewhere", 3)
    (tmp_path / "data").mkdir()
    for kind in ("cats", "dogs"):
        (tmp_path / "data" / kind).symlink_to(tmp_path / "elsewhere")
    told = reason(tmp_path / "data")
    assert "Links to folders: 2, such as cats." in told
    assert "copy what they lead to" in told


def test_endings_are_the_reason(tmp_path: Path) -> None:
    for kind in ("cats", "dogs"):
        (tmp_path / kind).mkdir()
        for number in range(4):
            (tmp_path / kind / f"{number}.heic").touch()
            Image.new("RGB", (8, 8)).save(tmp_path / kind / f"{number}", "PNG")
    told = reason(tmp_path)
    assert "Files that are not images by their name: 16, such as cats/0." in told
    assert "Put the images (.apng, .bmp, .gif, .jfif, .jpe," in told
    assert "Links" not in told


def test_hidden_and_empty_folders_are_the_reason(tmp_path: Path) -> None:
    fake(tmp_path / ".cats", 3)
    (tmp_path / "dogs").mkdir()
    told = reason(tmp_path)
    assert "Class folders without an image: 1, such as dogs." in told
    assert "Hidden files and folders: 1, such as .cats." in told
