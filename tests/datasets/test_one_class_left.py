"""A folder of which one class is left, or in which the splits lie deeper: what became of the other images is said."""

from pathlib import Path

import pytest

from tests.datasets.test_image_folder import fake, fill, load
from tl_core.data.formats.class_levels import NestedImagesError
from tl_core.errors import DataError


def test_deeper_classes_beside_a_flat_one_are_offered(tmp_path: Path) -> None:
    for folder in ("cats", "dogs/small", "dogs/large"):
        fake(tmp_path / folder, 6)
    with pytest.raises(
        NestedImagesError, match=r"one class alone here: cats\. Others lie deeper.*1 for 2 classes.*dogs 12"
    ) as raised:
        load(tmp_path)
    assert [level.number for level in raised.value.levels] == [1, 2]
    assert load(tmp_path, class_level=1).class_names == ("cats", "dogs")


def test_a_class_that_is_a_link_is_named(tmp_path: Path) -> None:
    fake(tmp_path / "data" / "cats", 6)
    (tmp_path / "data" / "dogs").symlink_to(fake(tmp_path / "elsewhere", 6))
    with pytest.raises(DataError, match=r"only one here\. Links to folders: 1 left out \(dogs\)\."):
        load(tmp_path / "data")


def test_a_class_with_names_of_no_images_is_named(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        fake(tmp_path / name, 6)
    for file in (tmp_path / "dogs").iterdir():
        file.rename(file.with_suffix(".heic"))
    with pytest.raises(
        DataError, match=r"only one here\. Class folders without an image: 1 left out \(dogs\).*6 left out \(dogs/"
    ):
        load(tmp_path)


def test_one_class_alone_has_nothing_more_to_say(tmp_path: Path) -> None:
    fake(tmp_path / "cats", 6)
    with pytest.raises(DataError, match=r"only one here\. Put one folder per class"):
        load(tmp_path)


def test_splits_beside_a_folder_of_other_files_are_no_classes(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("cats", "dogs"):
            fake(tmp_path / "images" / split / name, 6)
        (tmp_path / "labels" / split).mkdir(parents=True)
    with pytest.raises(DataError, match=r"Folders named like splits lie in images\. Choose the folder images"):
        load(tmp_path)


def test_splits_below_the_classes_are_no_level(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        for split in ("train", "test"):
            fake(tmp_path / name / split, 6)
    with pytest.raises(NestedImagesError) as raised:
        load(tmp_path)
    assert [level.number for level in raised.value.levels] == [1]


@pytest.mark.parametrize("inner", ["{}", "{}_set", "{}/{}"])
def test_a_split_folder_that_repeats_its_name_is_looked_into(tmp_path: Path, inner: str) -> None:
    for split in ("train", "test"):
        for name in ("cats", "dogs"):
            fill(tmp_path / split / inner.format(split, split) / name, 6)
    data = load(tmp_path)
    assert (data.class_names, len(data.test)) == (("cats", "dogs"), 12)


def test_a_lone_class_in_a_split_stays_a_class(tmp_path: Path) -> None:
    for folder in ("train/cats", "train/dogs", "test/cats"):
        fill(tmp_path / folder, 6)
    assert len(load(tmp_path).test) == 6
