"""The panel of a study, without the page around it: what it says before, while it waits or works, and after."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import HANGS_SECONDS
from tests.tools.pages import errors, nothing_cached
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies import StudyResult
from tl_core.studies.data_check import DataCheck, DataCheckResult
from tl_core.system import locks
from tl_core.system.settings import DATA_ROOTS_VARIABLE

__all__ = ["nothing_cached"]
RECIPE = Recipe.of(RunSpec())


pytestmark = pytest.mark.usefixtures("nothing_cached")


@pytest.fixture
def file(home: Path) -> Path:
    found = DataCheck().file(home, RECIPE)
    found.parent.mkdir(parents=True)
    return found


def page(dataset: str) -> None:
    """A page with nothing but the panel."""
    import streamlit as st

    from tl_core.recipe import Recipe
    from tl_core.spec import RunSpec
    from tl_core.studies.data_check import DataCheck
    from tl_core.ui.study_panel import StudyPanel

    recipe = Recipe.of(RunSpec().with_settings({"dataset": dataset} | ({"dataset.path": "/etc"} if "folder" in dataset else {})))
    panel = StudyPanel(DataCheck(), "It looks.", "Look", "Look again", "search", lambda found: st.text(f"{found.done} seen"))
    panel.draw(recipe)


def drawn(dataset: str = "photo_patches") -> AppTest:
    app = AppTest.from_function(page, args=(dataset,), default_timeout=HANGS_SECONDS).run()
    assert not app.exception
    return app


def at_work(file: Path, known: StudyResult) -> int:
    """Keep `known` as a process at work does; gives the descriptor of its lock."""
    background.write(file.with_suffix(".growing"), known)
    held = locks.hold(file.with_suffix(".lock"))
    assert held is not None
    return held


def progress(app: AppTest) -> str:
    """The text of its progress bar."""
    return str(app.get("progress")[0].proto.text)


def test_before_there_is_anything() -> None:
    app = drawn()
    assert [caption.value for caption in app.caption] == ["It looks."]
    assert [(button.key, button.label) for button in app.button] == [("ask_data_check", "Look")]


def test_its_place_in_the_line_is_told_and_it_can_be_cancelled(file: Path) -> None:
    background.write(file, DataCheckResult(done=9, finished=True))
    held = at_work(file, DataCheckResult(place=3))
    app = drawn()
    assert progress(app) == "Waiting for a device: place 3 in the queue"
    assert [(button.key, button.label) for button in app.button] == [("cancel_data_check", "Cancel")]
    os.close(held)  # it was cancelled, by somebody else
    app = drawn()
    assert [text.value for text in app.text] == ["9 seen"]  # the last result has stayed
    assert [button.label for button in app.button] == ["Look again"]


def test_how_far_it_is(file: Path) -> None:
    held = at_work(file, DataCheckResult(stage="Looking at the images", done=25, images=100, seconds=10.0))
    app = drawn()
    assert progress(app).startswith("Looking at the images, about 30 s left")
    assert app.get("progress")[0].proto.value == 25
    os.close(held)


def test_why_it_could_not_be_done(file: Path) -> None:
    background.write(file, DataCheckResult(finished=True, error="The disk is full."))
    app = drawn()
    assert errors(app) == ["The disk is full."]
    assert [button.label for button in app.button] == ["Look again"]


def test_why_it_was_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, str(tmp_path))
    app = drawn("image_folder")
    app.button(key="ask_data_check").click().run()
    (said,) = errors(app)
    assert "/etc" in said
