"""A dataset is called by its own name, which can be changed and changes nothing else."""

from pathlib import Path

import pytest

from tests.data.test_archives import PETS, zipped
from tests.helpers import CommandLine, keep_run, write_images
from tl_core import datasets
from tl_core.analysis import comparison
from tl_core.data.formats import uploads
from tl_core.datasets import Dataset
from tl_core.datasets.image_folder import ImageFolder
from tl_core.datasets.zip_upload import ZipUpload
from tl_core.recipe import Recipe
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import PartSpec, RunSpec
from tl_core.studies import with_all_labels
from tl_core.studies.lr_finder import LrFinder

MARKED = "roses [red] *now*"


def built(name: str, **settings: object) -> Dataset:
    return datasets.build(PartSpec(name=name, **settings))


@pytest.mark.parametrize(
    ("dataset", "settings", "name"),
    [
        ("image_folder", {"path": "/data/roses"}, "roses"),
        ("image_folder", {"path": "/data/roses/train"}, "roses/train"),
        ("image_folder", {"path": "/data/ro\nses"}, "ro\\nses"),
        ("image_folder", {"path": "/"}, "/"),
        ("image_folder", {}, "Image folder"),
        ("csv_manifest", {"path": "/data/roses.csv"}, "roses.csv"),
        ("csv_text", {"path": "/data/reviews/train.csv"}, "reviews/train.csv"),
        ("numpy", {"path": "/data/roses.npz"}, "roses.npz"),
        ("idx_folder", {"path": "/data/kuzushiji"}, "kuzushiji"),
        ("tfds", {"path": "/data/beans/0.1.0"}, "beans"),
        ("huggingface", {"repository": "ylecun/mnist"}, "ylecun/mnist"),
        ("keras_builtin", {"which": "cifar10"}, "CIFAR-10"),
        ("digits", {}, "Digits, 8 x 8"),
        ("digits", {"display_name": "Numbers\tof ours"}, "Numbers\\tof ours"),
    ],
)
def test_its_own_name(dataset: str, settings: dict[str, object], name: str) -> None:
    assert built(dataset, **settings).shown_name == name


def test_an_upload_is_called_as_its_file_was(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipped(tmp_path / "pets.zip", PETS).open("rb") as file:
        upload = uploads.keep(file, "pets.zip", home, lambda _: None)
    dataset = ZipUpload(upload=upload.folder)
    assert dataset.shown_name == "pets.zip"
    uploads.remove(upload)
    assert dataset.shown_name == "Upload, removed"
    assert ZipUpload().shown_name == "Upload"


def test_nothing_is_told_of_a_folder_that_may_not_be_read(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipped(tmp_path / "pets.zip", PETS).open("rb") as file:
        upload = uploads.keep(file, "secret.zip", tmp_path / "elsewhere", lambda _: None)
    monkeypatch.setenv("TRANSFER_LAB_DATA_ROOTS", str(tmp_path / "data"))
    assert ZipUpload(upload=upload.folder).shown_name == "Upload, removed"


@pytest.mark.parametrize("name", sorted(datasets.datasets.parts()))
def test_a_name_changes_nothing_that_is_kept_by_what_it_holds(name: str) -> None:
    one, other = (RunSpec(dataset=built(name, display_name=given).spec()) for given in (None, "Ours"))
    first, second = Recipe.of(one).dataset, Recipe.of(other).dataset
    assert with_all_labels(first) == with_all_labels(second)
    assert "display_name" not in with_all_labels(first)  # as it was before there were names
    assert LrFinder().file(Path(), Recipe.of(one)) == LrFinder().file(Path(), Recipe.of(other))
    assert comparison.same_data(one, other)
    assert comparison.same_data(one, one.model_copy(update={"dataset": one.dataset.content}))  # stored before
    assert comparison.differences({"a": one.dotted(), "b": other.dotted()}).empty


def test_two_with_names_hold_the_same(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data")
    named = ImageFolder(path=folder, display_name="Ours")
    assert named.load(0).digest() == ImageFolder(path=folder).load(0).digest()


def test_the_command_line_says_it(home: Path) -> None:
    spec = RunSpec(dataset=PartSpec(name="image_folder", path=f"/data/{MARKED}"))
    keep_run(Store(), "a", State.PAUSED, spec)
    keep_run(Store(), "b", State.PAUSED, RunSpec(dataset=PartSpec(name="no_longer_there")))
    listed = CommandLine(home).call("runs").out
    assert MARKED in listed
    assert "no_longer_there" in listed
