"""The Backbone page says which image size follows the images, and why; somebody may set another one, and go back."""

from pathlib import Path

import pytest

from tests.test_image_size import photographs
from tests.tools.pages import SMALL, errors, opened
from tl_core.ui import steps

WHY = "224 px: the shorter sides of the images have about 500 px, and 224 px is the size that the network learned at."


def test_the_page_says_what_it_chose_and_why(home: Path, tmp_path: Path) -> None:
    folder = photographs(tmp_path / "data")
    app = opened(steps.BACKBONE.script, **{"dataset": "image_folder", "dataset.path": str(folder)})
    assert any(
        caption.value
        == "224 px: the shorter sides of the images have about 500 px, and 224 px is the size that the network learned at."
        for caption in app.caption
    )
    assert app.number_input(key="run_image_size").value is None
    assert app.number_input(key="run_image_size").placeholder == "224, follows the images"
    assert any("224 px" in caption.value for caption in app.sidebar.caption)
    app.number_input(key="run_image_size").set_value(64).run()
    assert app.query_params["image_size"] == "64"
    assert any(caption.value == "64 px: set by hand." for caption in app.caption)
    app.button(key="follow_images").click().run()
    assert "image_size" not in app.query_params
    assert any(caption.value.startswith("224 px: ") for caption in app.caption)
    assert not errors(app)


def test_a_folder_outside_of_what_pages_may_read_is_not_looked_at(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photographs(tmp_path / "data", height=128)
    monkeypatch.setenv("TRANSFER_LAB_DATA_ROOTS", str(tmp_path / "other"))
    app = opened(steps.BACKBONE.script, **{"dataset": "image_folder", "dataset.path": str(folder)})
    assert any("the images cannot be looked at yet" in caption.value for caption in app.caption)


def test_an_address_with_a_number_keeps_it(home: Path) -> None:
    app = opened(steps.BACKBONE.script, **SMALL | {"image_size": "96"})
    assert app.number_input(key="run_image_size").value == 96
    assert app.query_params["image_size"] == "96"
