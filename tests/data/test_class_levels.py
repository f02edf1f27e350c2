"""Class folders that lie deeper than one level: told with what each level would give, and read at the one that is chosen."""

import io
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.datasets.test_image_folder import fake, fill, load
from tl_core import cli  # noqa: F401
from tl_core.__main__ import app
from tl_core.data.formats import class_levels, uploads
from tl_core.data.formats.class_levels import NestedImagesError
from tl_core.datasets import Data
from tl_core.datasets.zip_upload import ZipUpload
from tl_core.errors import DataError
from tl_core.notes import sentences

ALPHABETS = {"Greek": ("alpha", "beta"), "Latin": ("a", "b", "alpha")}
NAMES = ("Greek/alpha", "Greek/beta", "Latin/a", "Latin/alpha", "Latin/b")


def alphabets(root: Path, each: int = 6) -> Path:
    """Class folders two deep, of which two share a name."""
    for alphabet, characters in ALPHABETS.items():
        for character in characters:
            fake(root / alphabet / character, each)
    return root


def images(data: Data) -> int:
    return sum(map(len, data.splits.values()))


def test_images_that_lie_deeper_are_counted_and_each_level_is_told(tmp_path: Path) -> None:
    with pytest.raises(NestedImagesError) as raised:
        load(alphabets(tmp_path))
    assert str(raised.value) == (
        "There are no images in class folders here. 30 lie deeper. Set dataset.class_level to 1 for 2 classes (images: Greek 12, "
        "Latin 18), or to 2 for 5 classes (images: Greek/alpha 6, Greek/beta 6, Latin/a 6, and others). "
        f"Received: {tmp_path}"
    )
    assert [(level.number, level.counts) for level in raised.value.levels] == [
        (1, {"Greek": 12, "Latin": 18}),
        (2, dict.fromkeys(NAMES, 6)),
    ]


@pytest.mark.parametrize(("level", "names"), [(1, ("Greek", "Latin")), (2, NAMES)])
def test_a_level_gives_what_was_told(tmp_path: Path, level: int, names: tuple[str, ...]) -> None:
    data = load(alphabets(tmp_path), class_level=level)
    assert (data.class_names, images(data)) == (names, 30)


def test_each_split_has_its_own_levels(tmp_path: Path) -> None:
    for split, each in (("training_set", 6), ("val", 2), ("Test Images", 3)):
        alphabets(tmp_path / split, each)
    (tmp_path / "val" / "Greek").rename(tmp_path / "aside")  # where one folder is left, it is no wrapping
    with pytest.raises(NestedImagesError, match=r"30 lie deeper.*1 for 2 classes.*2 for 5 classes"):
        load(tmp_path)
    data = load(tmp_path, class_level=2)
    assert data.class_names == NAMES
    assert [len(examples) for examples in data.splits.values()] == [30, 6, 15]


def test_what_lies_above_or_beside_a_level_is_told(tmp_path: Path) -> None:
    fake(alphabets(tmp_path) / "Greek", 2)
    fake(tmp_path / "Latin" / "b" / "more" / "yet more", 4)
    (tmp_path / "Latin" / "b" / "more" / "text.txt").touch()
    data = load(tmp_path, class_level=2)
    assert (data.class_names, images(data)) == (NAMES, 34)
    assert sentences(data.notes) == (
        "Files beside the class folders: 2 left out (Greek/00000.jpg, Greek/00001.jpg).",
        "Files that are not images by their name: 1 left out (Latin/b/more/text.txt).",
    )


def test_a_level_that_holds_nothing_leads_to_those_that_do(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        fake(tmp_path / name, 12)
    with pytest.raises(NestedImagesError, match=r"no images 3 folders deep here\. 36 lie at other levels\. Set .* to 1 for 3 cl"):
        load(tmp_path, class_level=3)


def test_one_folder_that_wraps_them_is_no_level(tmp_path: Path) -> None:
    with pytest.raises(NestedImagesError, match=r"1 for 2 classes .*2 for 5 classes"):
        load(alphabets(tmp_path / "omniglot" / "images").parents[1])


def test_what_makes_one_class_is_not_offered(tmp_path: Path) -> None:
    fake(tmp_path / "train" / "images" / "all", 8)
    (tmp_path / "train" / "labels").mkdir()
    with pytest.raises(DataError, match=r"no images in class folders here\. Class folders .*: 2, such as train/images") as raised:
        load(tmp_path)
    assert not isinstance(raised.value, NestedImagesError)


def test_a_whole_disk_is_not_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_levels, "MOST_FOLDERS", 6)
    with pytest.raises(NestedImagesError, match=r"18 or more lie deeper.*2 for 3 or more classes"):
        load(alphabets(tmp_path))


def test_an_upload_has_levels_as_well(tmp_path: Path, home: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for file in sorted(alphabets(tmp_path / "data").rglob("*.jpg")):
            archive.write(file, file.relative_to(tmp_path))
    written.seek(0)
    folder = uploads.keep(written, "data.zip", home, lambda _: None).folder
    with pytest.raises(NestedImagesError, match="2 for 5 classes"):
        ZipUpload(upload=folder).load(0)
    assert ZipUpload(upload=folder, class_level=2).load(0).class_names == NAMES


def test_the_command_line_offers_and_takes_a_level(tmp_path: Path) -> None:
    for alphabet in ALPHABETS:
        for character in ("a", "b"):
            fill(tmp_path / alphabet / character, 6)
    given = ["examine", "--dataset", "image_folder", "--set", f"dataset.path={tmp_path}"]
    refused = CliRunner().invoke(app, given)
    assert refused.exit_code == 2
    assert "2 for 4 classes (images: Greek/a 6" in refused.stderr
    done = CliRunner().invoke(app, [*given, "--set", "dataset.class_level=2"])
    assert done.exit_code == 0
    assert "24 images, 0 broken" in done.stdout
