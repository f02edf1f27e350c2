"""A class whose folders are spelled in several ways is one class, and that is told."""

import unicodedata
from pathlib import Path

import pytest

from tests.datasets.test_image_folder import fake, load
from tl_core.errors import DataError
from tl_core.notes import sentences

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def splits(root: Path, train: tuple[str, ...], test: tuple[str, ...]) -> Path:
    for name in train:
        fake(root / "train" / name, 8)
    for name in test:
        fake(root / "test" / name, 3)
    return root


def test_two_normal_forms_are_one_class(tmp_path: Path) -> None:
    data = load(splits(tmp_path, (NFC, "tea"), (NFD, "tea")))
    assert data.class_names == (NFC, "tea")
    assert len(data.test) == 6
    assert sentences(data.notes)[0] == f"Folders whose names differ only in how Unicode writes them are one class: {NFC}."


def test_two_normal_forms_in_one_split_are_one_class(tmp_path: Path) -> None:
    for name, count in ((NFC, 4), (NFD, 5), ("tea", 8)):
        fake(tmp_path / name, count)
    data = load(tmp_path)
    assert data.class_names == (NFC, "tea")
    assert sum((examples.labels == 0).sum() for examples in data.splits.values()) == 9
    assert "how Unicode writes them are one class" in sentences(data.notes)[0]


def test_the_same_images_have_the_same_digest_in_either_form(tmp_path: Path) -> None:
    digests = set()
    for number, name in enumerate((NFC, NFD)):
        for kind, content in ((name, b"coffee"), ("tea", b"tea")):
            folder = tmp_path / str(number) / kind
            folder.mkdir(parents=True)
            for image in range(8):
                (folder / f"{image}.png").write_bytes(b"%s %d" % (content, image))
        data = load(tmp_path / str(number))
        assert not data.notes
        digests.add(data.digest())
    assert len(digests) == 1


@pytest.mark.parametrize("spelled", ["Cats", "cats ", "CATS"])
def test_spelled_otherwise_in_another_split(tmp_path: Path, spelled: str) -> None:
    data = load(splits(tmp_path, ("cats", "dogs"), (spelled, "dogs")))
    assert data.class_names == ("cats", "dogs")
    assert len(data.test) == 6
    assert sentences(data.notes)[0] == f"Class folders that a split spells otherwise are one class: 'cats', in test {spelled!r}."


def test_what_may_be_either_of_two_is_still_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="The test images have a class without training images: CATS"):
        load(splits(tmp_path, ("cats", "Cats", "dogs"), ("CATS", "dogs")))


def test_two_of_a_split_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="The test images have a class without training images: Cats"):
        load(splits(tmp_path, ("cats", "dogs"), ("cats", "Cats", "dogs")))


def test_cases_of_one_split_stay_apart(tmp_path: Path) -> None:
    """Letters come in two cases."""
    data = load(splits(tmp_path, ("a", "A"), ("a", "A")))
    assert data.class_names == ("A", "a")
    assert "Classes with nearly the same name, used as different ones: A and a." in sentences(data.notes)
