"""The Dataset page: what is examined, left out, uploaded and mapped."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.checks.test_checks import photographs
from tests.data.test_archives import PETS, zipped
from tests.helpers import HANGS_SECONDS, wait_until, write_images
from tests.tools.pages import errors, opened
from tl_core.data import exclusions
from tl_core.data.formats import uploads
from tl_core.datasets.image_folder import ImageFolder
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.data_check import DataCheck, DataCheckResult
from tl_core.studies.image_map import ImageMapResult, ImageMapStudy
from tl_core.ui import steps

MORE = {f"{kind}/more{number}.png": b"%d" % number for kind in ("cats", "dogs") for number in range(9)}


def examined(home: Path, folder: Path) -> DataCheckResult:
    """Its examination, once that has ended."""

    def look() -> DataCheckResult | None:
        found = DataCheck().read(home, Recipe.of(RunSpec().with_settings({"dataset": "image_folder", "dataset.path": folder})))
        return found if found and found.finished else None

    return wait_until(look)


def mapped(home: Path, recipe: Recipe) -> ImageMapResult:
    """Its map, once that has ended."""

    def look() -> ImageMapResult | None:
        found = ImageMapStudy().read(home, recipe)
        return found if found and found.finished else None

    return wait_until(look)


def page(folder: Path, **more: str) -> AppTest:
    return opened(steps.DATASET.script, **({"dataset": "image_folder", "dataset.path": str(folder), "image_size": "32"} | more))


@pytest.mark.process
def test_what_is_found_is_left_out_with_a_click(home: Path, tmp_path: Path) -> None:
    folder = photographs(tmp_path / "data")
    shutil.copy(next((folder / "train" / "a").iterdir()), folder / "test" / "a" / "twin.png")
    (folder / "train" / "b" / "broken.png").write_bytes(b"no image")
    app = page(folder)
    app.button(key="ask_data_check").click().run()
    dataset = ImageFolder(path=folder)
    found = examined(home, folder)
    assert not found.error
    app = page(folder)
    warned = " ".join(warning.value for warning in app.warning).replace("\\", "")
    assert "1 of the test images (11.1 %) has a twin among the training images" in warned
    assert "1 image cannot be read" in warned
    app.button(key="leave_out").click().run()
    assert not errors(app)
    chosen = str(app.query_params["dataset.left_out"])
    assert exclusions.kept(home, chosen)
    data = dataset.model_copy(update={"left_out": chosen}).load(0)
    whole = dataset.load(0)
    assert sum(map(len, whole.splits.values())) - sum(map(len, data.splits.values())) == 2
    app.button(key="use_all").click().run()
    assert "dataset.left_out" not in app.query_params


def test_a_list_of_what_is_left_out_goes_with_its_data(home: Path, tmp_path: Path) -> None:
    """It names images by the split in which they were found."""
    folder = photographs(tmp_path / "data")
    listed = exclusions.keep(home, exclusions.Exclusions(gone={"train": ("00" * 32,)}))
    app = page(folder, **{"dataset.left_out": listed})
    app.number_input(key="image_folder_dataset_labels_per_class").set_value(2).run()
    assert str(app.query_params["dataset.left_out"]) == listed
    other = photographs(tmp_path / "other")
    app.text_input(key="image_folder_dataset_path").set_value(str(other)).run()
    assert not errors(app)
    assert "dataset.left_out" not in app.query_params


@pytest.mark.process
def test_a_folder_that_cannot_be_examined_is_told(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=30)
    app = page(folder)
    shutil.rmtree(folder)
    app.button(key="ask_data_check").click().run()
    found = examined(home, folder)
    assert found.error.startswith("This folder does not exist.")


@pytest.mark.process
def test_a_map_is_drawn(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=30)
    app = page(folder)
    app.button(key="ask_image_map").click().run()
    assert not errors(app)
    settings = {"dataset": "image_folder", "dataset.path": str(folder), "image_size": 32}
    recipe = Recipe.of(RunSpec().with_settings(settings))
    found = mapped(home, recipe)
    assert not found.error
    assert found.map
    assert len(found.map.x) == 60
    assert found.shift
    assert ImageMapStudy().sheet_file(home, recipe).read_bytes()[8:12] == b"WEBP"
    app = page(folder)
    assert any("principal components" in caption.value for caption in app.caption)
    assert app.button(key="ask_image_map").label == "Draw again"


def test_an_upload_is_chosen_and_removed(home: Path, tmp_path: Path) -> None:
    with zipped(tmp_path / "pets.zip", PETS | MORE).open("rb") as file:
        upload = uploads.keep(file, "pets.zip", home, lambda _: None)
    app = opened(steps.DATASET.script, **{"dataset": "zip_upload"})
    assert not errors(app)
    app.selectbox(key="upload_choice").select(upload.folder).run()
    assert app.query_params["dataset.upload"] == str(upload.folder)
    assert not errors(app)
    app.button(key="remove_upload").click().run()
    assert uploads.kept(home) == []
    assert "dataset.upload" not in app.query_params


def test_an_archive_on_the_machine_is_unpacked(home: Path, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "pets.zip", PETS | MORE)
    app = opened(steps.DATASET.script, **{"dataset": "zip_upload"})
    app.text_input(key="upload_place").set_value(str(archive)).run()
    app.button(key="unpack").click().run()
    assert len(uploads.kept(home)) == 1
    assert not errors(app)
    app.text_input(key="upload_place").set_value("/etc/hostname").run()
    app.button(key="unpack").click().run()
    assert "outside the folders that the dashboard may read" in errors(app)[0]


def reading() -> None:
    """A page on which a quarter of the files has been read after a minute."""
    import time

    import streamlit as st

    from tl_core.ui import previews

    previews.progress(st.empty(), time.monotonic() - 60)(2_500, 10_000)


def test_a_page_says_how_long_the_files_take_to_be_read() -> None:
    app = AppTest.from_function(reading, default_timeout=HANGS_SECONDS).run()
    assert not app.exception
    (bar,) = app.get("progress")
    assert bar.proto.text.startswith("Every file is read once, to split by content: 2,500 of 10,000, about 3 min")
    assert bar.proto.value == 25


def test_the_progress_goes_when_the_data_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.ui.previews.QUIET_SECONDS", 0)
    monkeypatch.setattr("tl_core.ui.previews.BETWEEN_SECONDS", 0)
    app = page(write_images(tmp_path / "data", classes=2, each=100))
    assert not errors(app)
    assert not app.get("progress")


@pytest.mark.process
def test_uneven_classes_are_made_up_for_with_a_click(home: Path, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", classes=2, each=30)
    for image in sorted((folder / "class0").iterdir())[6:]:
        image.unlink()
    app = page(folder)
    app.button(key="ask_data_check").click().run()
    assert not examined(home, folder).error
    app = page(folder)
    assert "let balanced accuracy decide" in " ".join(each.value for each in app.info).replace("\\", "")
    app.button(key="make_up").click().run()
    assert not errors(app)
    draft = app.session_state["draft_spec"]
    assert (draft["metric"], draft["strategy.balanced"]) == ("balanced_accuracy", "logit adjustment")
    assert app.button(key="make_up").disabled
