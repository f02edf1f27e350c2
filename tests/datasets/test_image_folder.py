"""Folders as people have them: nested, with stray files, links, odd names and missing parts."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tl_core.datasets import Data
from tl_core.datasets.image_folder import ImageFolder
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind, sentences


def fill(folder: Path, count: int, kind: str = ".png") -> Path:
    """`count` small images, each of a content of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = [ord(c) for c in str(folder)]
    for number in range(count):
        pixels = np.random.default_rng([number, *seed]).integers(0, 256, (9, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}{kind}")
    return folder


def fake(folder: Path, count: int) -> Path:
    """`count` files that are images only by their name."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(b"not image %d of %s" % (number, os.fsencode(folder.name)))
    return folder


def load(folder: Path, seed: int = 0, **settings: object) -> Data:
    return ImageFolder.model_validate({"path": folder, **settings}).load(seed)


def names(data: Data, split: str) -> set[str]:
    images = getattr(data, split)
    return {images.name(index) for index in range(len(images))}


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cats", "dogs"):
        fake(tmp_path / "pets" / name, 20)
    return tmp_path / "pets"


def test_nothing_is_decoded_at_load_and_a_broken_image_is_named_when_read(pets: Path) -> None:
    data = load(pets)  # no file of it is an image, and yet it loads
    assert data.class_names == ("cats", "dogs")
    assert (len(data.train), len(data.validation), len(data.test)) == (26, 4, 10)
    assert not data.notes
    with pytest.raises(DataError, match=r"its content is not an image.*cats/\d+\.jpg"):
        data.train.read(0)


def test_splits_share_no_file_and_cover_all(pets: Path) -> None:
    data = load(pets, test_share=0.5, validation_share=0)
    assert names(data, "train") & names(data, "test") == set()
    assert len(names(data, "train") | names(data, "test")) == 40
    assert len(data.validation) == 0


def test_labels_are_nested_and_drawn_by_seed(pets: Path) -> None:
    two, five, other = (load(pets, seed, labels_per_class=n) for seed, n in ((0, 2), (0, 5), (1, 5)))
    assert names(two, "train") < names(five, "train")
    assert names(five, "train") != names(other, "train")
    assert names(two, "test") == names(other, "test")
    assert np.bincount(two.train.labels).tolist() == [2, 2]


def test_every_kind_of_image_is_read(tmp_path: Path) -> None:
    for kind in (".JPG", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".TIF", ".tiff"):
        fill(tmp_path / "a", 2, kind)
        fill(tmp_path / "b", 2, kind)
    data = load(tmp_path, test_share=0.1)
    assert len({Path(name).suffix for split in ("train", "validation", "test") for name in names(data, split)}) == 8
    assert all(data.train.read(i).shape == (9, 8, 3) for i in range(len(data.train)))


def test_what_is_left_out_is_reported(pets: Path) -> None:
    (pets / "LICENSE").touch()
    for number in range(5):
        (pets / "cats" / f"{number}.txt").touch()
    (pets / "cats" / ".DS_Store").touch()
    (pets / "__MACOSX").mkdir()
    (pets / "birds").mkdir()
    fake(pets / "dogs" / "more", 2)
    os.mkfifo(pets / "dogs" / "pipe.jpg")  # who opens it waits forever
    data = load(pets)
    assert data.class_names == ("cats", "dogs")
    assert sentences(data.notes) == (
        "Class folders without an image: 1 left out (birds).",
        "Devices and pipes: 1 left out (dogs/pipe.jpg).",
        "Files beside the class folders: 1 left out (LICENSE).",
        "Files that are not images by their name: 5 left out (cats/0.txt, cats/1.txt, cats/2.txt, and others).",
        "Folders inside class folders: 1 left out (dogs/more).",
        "Hidden files and folders: 2 left out (__MACOSX, cats/.DS_Store).",
    )


def test_a_nested_folder_is_descended_into(pets: Path, tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    (tmp_path / ".git").mkdir()
    outer = load(tmp_path)
    assert outer.test.digest() == load(pets).test.digest()
    assert sentences(outer.notes)[:2] == (
        "The classes were found further down, in pets.",
        "Files beside the class folders: 1 left out (README).",
    )


def test_classes_with_nearly_the_same_name_are_told(tmp_path: Path) -> None:
    for name in ("Black cat", "black_cat", "dogs", "a", "A"):
        fake(tmp_path / name, 10)
    data = load(tmp_path)
    assert len(data.class_names) == 5
    assert sentences(data.notes) == (
        "Classes with nearly the same name, used as different ones: A and a; Black cat and black_cat.",
    )


@pytest.mark.parametrize("validation", ["val", "valid", "Validation"])
def test_splits_of_the_folder_are_kept(tmp_path: Path, validation: str) -> None:
    for split, count in (("train", 6), (validation, 2), ("TEST", 3)):
        for name in ("a", "b"):
            fake(tmp_path / split / name, count)
    data = load(tmp_path)
    assert [len(getattr(data, split)) for split in ("train", "validation", "test")] == [12, 4, 6]
    assert {path.parts[-3] for path in data.validation.paths} == {validation}  # type: ignore[attr-defined]
    assert not data.notes


def test_missing_splits_are_set_aside_and_noted(tmp_path: Path) -> None:
    for name in ("a", "b"):
        fake(tmp_path / "train" / name, 20)
        fake(tmp_path / "val" / name, 2)
    fake(tmp_path / "test", 3)  # as contests have it: without classes
    fake(tmp_path / "extra" / "a", 3)
    data = load(tmp_path)
    assert [len(getattr(data, split)) for split in ("train", "validation", "test")] == [30, 4, 10]
    assert sentences(data.notes) == (
        "Files beside the class folders: 3 left out (test/00000.jpg, test/00001.jpg, test/00002.jpg).",
        "Folders beside train, validation and test: 1 left out (extra).",
        "There are no test images: 10 training images were set aside for it.",
    )


def test_only_train_is_split_like_plain_class_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        fake(tmp_path / "train" / name, 20)
    assert [len(getattr(load(tmp_path), split)) for split in ("train", "validation", "test")] == [26, 4, 10]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("bus", "test", "train"):
        fake(tmp_path / name, 8)
    assert load(tmp_path).class_names == ("bus", "test", "train")


def test_classes_of_the_splits_must_agree(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        fake(tmp_path / "train" / name, 8)
    fake(tmp_path / "test" / "a", 3)
    assert "Classes without a test image: b, c." in sentences(load(tmp_path).notes)
    fake(tmp_path / "test" / "z", 1)
    with pytest.raises(DataError, match=r"test images have a class without training images: z.*classes a, b, c for training"):
        load(tmp_path)


def test_small_classes_are_named(tmp_path: Path) -> None:
    fake(tmp_path / "many", 8)
    fake(tmp_path / "few\nbad", 1)
    with pytest.raises(DataError, match=r"The class few\\nbad has too few examples .* for test"):
        load(tmp_path)
    fake(tmp_path / "few\nbad", 2)
    with pytest.raises(DataError, match="for validation"):
        load(tmp_path)
    assert len(load(tmp_path, validation_share=0).train) == 7


def test_names_are_shown_on_one_line(tmp_path: Path) -> None:
    for name in ("a\nb", "<b>bold", os.fsdecode(b"\xff"), "z\u202etxt", "ünïcode"):
        fake(tmp_path / name, 4)
    data = load(tmp_path)
    assert set(data.class_names) == {"a\\nb", "<b>bold", "\\udcff", "z\\u202etxt", "ünïcode"}
    assert all(name.isprintable() for name in names(data, "train"))
    "".join([*data.class_names, *sentences(data.notes)]).encode()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda root: root / "nowhere", r"does not exist.*spelling.*Received: .*nowhere"),
        (lambda root: fake(root, 1) / "00000.jpg", "This is a file, and a folder is needed"),
        (lambda root: root / ("x" * 300), "cannot be read"),
        (lambda root: root / "nul\0", "cannot be read"),
        (lambda root: Path("~no_such_user_here/data"), "cannot be read|does not exist"),
        (lambda root: root, "There are no images in class folders here.*Put the images"),
        (lambda root: fake(root, 7), "7 images lie in this folder without a class"),
        (lambda root: fake(root / "cats", 8).parent, "at least two classes.*Received: cats"),
        (lambda root: fake(root / "cats", 8), "8 images lie in this folder without a class"),
    ],
)
def test_folders_that_cannot_be_used_are_explained(tmp_path: Path, make: Callable[[Path], Path], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        load(make(tmp_path))


def test_no_folder_chosen() -> None:
    with pytest.raises(DataError, match=r"No folder is chosen yet.*dataset\.path"):
        ImageFolder().load(0)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to read everything, where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_no_permission_is_explained(pets: Path) -> None:
    (pets / "cats").chmod(0)
    try:
        with as_nobody(), pytest.raises(DataError, match=r"cannot be read \(Permission denied"):
            load(pets)
    finally:
        (pets / "cats").chmod(0o755)


def test_links_are_followed_only_inside_and_never_twice(pets: Path, tmp_path: Path) -> None:
    secret = fake(tmp_path / "elsewhere", 1) / "00000.jpg"
    fake(pets / "pool" / "nested", 1)
    inside = pets / "pool" / "nested" / "00000.jpg"
    (pets / "cats" / "out.jpg").symlink_to(secret)
    (pets / "cats" / "gone.jpg").symlink_to(pets / "nothing.jpg")
    (pets / "cats" / "again.jpg").symlink_to(pets / "dogs" / "00000.jpg")
    (pets / "cats" / "good.jpg").symlink_to(inside)
    (pets / "dogs" / "good.jpg").symlink_to(inside)
    (pets / "rabbits").symlink_to(tmp_path / "elsewhere")
    (pets / "loops").mkdir()
    (pets / "loops" / "a.jpg").symlink_to(pets / "loops" / "a.jpg")
    data = load(pets)
    used = names(data, "train") | names(data, "validation") | names(data, "test")
    assert {name for name in used if name[-5].isalpha()} == {"cats/good.jpg"}
    assert data.class_names == ("cats", "dogs")
    assert Note(NoteKind.LINKS_OUT, (3,), ("cats/gone.jpg", "cats/out.jpg", "loops/a.jpg")) in data.notes
    assert Note(NoteKind.LINKED_TWICE, (2,), ("cats/again.jpg", "dogs/good.jpg")) in data.notes
    assert Note(NoteKind.LINKED_FOLDERS, (1,), ("rabbits",)) in data.notes


def test_a_dataset_may_be_reached_by_a_link(pets: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(pets)
    assert load(tmp_path / "link").test.digest() == load(pets).test.digest()


@given(counts=st.lists(st.integers(3, 30), min_size=2, max_size=5), share=st.floats(0.01, 0.5))
def test_shares_are_kept_class_by_class(tmp_path_factory: pytest.TempPathFactory, counts: list[int], share: float) -> None:
    folder = tmp_path_factory.mktemp("shares")
    for index, count in enumerate(counts):
        (folder / str(index)).mkdir()
        for number in range(count):
            (folder / str(index) / f"{number}.png").write_text(f"{index} {number}")
    data = load(folder, test_share=share, validation_share=0)
    for index, count in enumerate(counts):
        assert (data.test.labels == index).sum() == max(1, round(share * count))
    assert len(data.train) + len(data.test) == sum(counts)


def test_the_same_data_give_the_same_splits_anywhere(pets: Path, tmp_path: Path) -> None:
    first = load(pets)
    for number, file in enumerate(sorted(pets.rglob("*.jpg"), reverse=True)):
        place = tmp_path / "elsewhere" / file.parent.name / f"{number % 7}{file.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    second = load(tmp_path / "elsewhere")
    for split in ("train", "validation", "test"):
        assert set(getattr(second, split).ids) == set(getattr(first, split).ids)
    assert set(load(pets, split_seed=1).test.ids) != set(first.test.ids)


def test_copies_of_an_image_are_on_one_side(pets: Path) -> None:
    for file in sorted(pets.rglob("*.jpg")):
        (file.parent / f"copy of {file.name}").write_bytes(file.read_bytes())
    data = load(pets)
    train, validation, test = (set(getattr(data, split).ids) for split in ("train", "validation", "test"))
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert (len(data.train), len(data.validation), len(data.test)) == (56, 4, 20)


def test_a_digest_is_of_the_content(pets: Path, tmp_path: Path) -> None:
    digest = load(pets).digest()
    pets.rename(tmp_path / "moved")
    assert load(tmp_path / "moved").digest() == digest
    assert load(tmp_path / "moved", labels_per_class=2).digest() != digest
