"""Texts and tables on the pages: one can look at them, and a sentence says why a network for images cannot learn them."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import wait_until
from tests.tools.pages import errors, opened
from tl_core.datasets._user_data import UserDataset
from tl_core.datasets.csv_table import CsvTable
from tl_core.datasets.csv_text import CsvText
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.data_check import DataCheck, DataCheckResult
from tl_core.ui import steps

SMALL = {"backbone": "small_cnn", "backbone.width": "4", "strategy": "from_scratch", "image_size": "16"}
HELD = {CsvText: "texts", CsvTable: "a table"}


@pytest.fixture(params=list(HELD))
def source(request: pytest.FixtureRequest) -> type[UserDataset]:
    part: type[UserDataset] = request.param
    return part


def page_of(step: steps.PageInfo, source: type[UserDataset]) -> AppTest:
    settings = source.example().model_dump()
    return opened(step.script, **SMALL, **{"dataset": source.name, "dataset.path": str(settings["path"])})


@pytest.mark.parametrize("step", steps.pages(), ids=lambda step: step.title)
def test_no_page_fails_and_none_starts_a_run(step: steps.PageInfo, source: type[UserDataset], home: Path) -> None:
    app = page_of(step, source)
    told = f"Small CNN takes images, and the dataset holds {HELD[source]}."
    shown = [said for said in errors(app) if told in said]
    assert len(shown) == (step in (steps.BACKBONE, steps.STRATEGY, steps.WHAT_IF))
    if starts := [button for button in app.button if button.key == "start"]:
        starts[0].click().run()
        assert not app.exception
        assert any(told in said for said in errors(app))
    assert not Store(home).runs()


@pytest.mark.process
def test_they_are_examined(source: type[UserDataset], home: Path, tmp_path: Path) -> None:
    path = Path(str(source.example().model_dump()["path"]))
    (tmp_path / path.name).write_text(path.read_text() + "\n" + path.read_text().splitlines()[-1])
    settings = {"dataset": source.name, "dataset.path": str(tmp_path / path.name)}
    app = opened(steps.DATASET.script, **SMALL, **settings)
    assert app.button(key="ask_data_check").label == f"Examine all {source.thing}"
    app.button(key="ask_data_check").click().run()
    recipe = Recipe.of(RunSpec().with_settings(SMALL | settings))

    def look() -> DataCheckResult | None:
        found = DataCheck().read(home, recipe)
        return found if found and found.finished else None

    assert not wait_until(look).error
    app = opened(steps.DATASET.script, **SMALL, **settings)
    assert not errors(app)
    assert any(f"1 {source.thing[:-1]} could go" in info.value for info in app.info)
    assert any(f"37 {source.thing}, looked at in" in caption.value for caption in app.caption)
    assert not any("Mean colour" in caption.value for caption in app.caption)
    app.button(key="leave_out").click().run()
    assert not errors(app)
    assert app.button(key="use_all").label == f"Use all {source.thing} again"


def test_nothing_is_asked_of_a_network_that_is_measured(source: type[UserDataset], home: Path) -> None:
    backbone = Recipe.of(RunSpec().with_settings(SMALL)).backbone
    backbone_profile.request(home, backbone, 16)
    wait_until(lambda: BackboneProfile.read(home, backbone, 16))
    app = page_of(steps.STRATEGY, source)
    assert not {button.key for button in app.button} & {"ask_lr_finder", "ask_what_if", "ask_image_map"}
    assert len(errors(app)) == 1
