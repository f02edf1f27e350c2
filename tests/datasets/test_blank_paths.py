"""A path that is blank, as an unset variable of a shell leaves it, is no path: never the current folder."""

from pathlib import Path

import pytest

from tl_core import backbones, datasets
from tl_core.datasets.csv_manifest import CsvManifest
from tl_core.errors import TransferError
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.ui.forms import kind_of

PATHS = [
    (name, field)
    for name, part in datasets.datasets.parts().items()
    for field, declared in part.model_fields.items()
    if kind_of(declared.annotation)[0] is Path
]


def recipe(**settings: str) -> Recipe:
    return Recipe.of(RunSpec().with_settings(settings))


@pytest.mark.parametrize(("source", "field"), PATHS)
@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_a_blank_path_is_none(source: str, field: str, blank: str) -> None:
    chosen = recipe(**{"dataset": source, f"dataset.{field}": blank}).dataset
    assert getattr(chosen, field) is None
    assert chosen == datasets.datasets.part(source)()


@pytest.mark.parametrize("source", ["image_folder", "idx_folder", "csv_manifest", "csv_text", "csv_table", "numpy", "tfds"])
def test_nothing_is_read_of_the_current_folder(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    example = datasets.datasets.part(source).example()
    place = Path(example.model_dump()["path"])
    monkeypatch.chdir(place if place.is_dir() else place.parent)
    with pytest.raises(TransferError, match=r"^No .* is chosen yet\..*dataset\.path"):
        recipe(**{"dataset": source, "dataset.path": ""}).dataset.load(0)


def test_a_path_keeps_what_is_no_blank(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given, meant in (("~", tmp_path), ("~/a b ", tmp_path / "a b "), (".", tmp_path)):
        assert recipe(**{"dataset": "image_folder", "dataset.path": given}).dataset.model_dump()["path"] == meant


def test_optional_texts_and_files_of_other_parts_are_none_as_well() -> None:
    table = recipe(**{"dataset": "csv_manifest", "dataset.label_column": " ", "dataset.images": ""}).dataset
    assert isinstance(table, CsvManifest)
    assert (table.label_column, table.images) == (None, None)
    network = recipe(**{"backbone": "keras_applications", "backbone.weights_file": ""}).backbone
    assert network == backbones.backbones.part("keras_applications")()


@pytest.mark.parametrize("setting", ["dataset.labels_per_class", "dataset.test_share", "seed"])
def test_a_blank_number_is_still_a_mistake(setting: str) -> None:
    """All labels, say, would be used in silence where a variable was to name some."""
    with pytest.raises(TransferError, match=f"The setting {setting} should be a valid"):
        recipe(**{"dataset": "image_folder", setting: ""})
