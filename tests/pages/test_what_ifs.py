"""The Strategy page's what-ifs: asked with a click, and drawn as the answers come."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.helpers import FEW_CROPS, wait_until
from tests.tools.pages import errors, opened
from tl_core.analysis.what_if import Question
from tl_core.jobs import background
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.what_if import WhatIf, WhatIfResult
from tl_core.ui import steps, what_ifs

SETTINGS = dict(FEW_CROPS)
TITLE = "What if there were other labels?"


def recipe_of(home: Path, settings: Mapping[str, object]) -> Recipe:
    """A draft whose backbone has been measured."""
    recipe = Recipe.of(RunSpec().with_settings(settings))
    backbone_profile.request(home, recipe.backbone, recipe.input_size)
    wait_until(lambda: BackboneProfile.read(home, recipe.backbone, recipe.input_size))
    return recipe


@pytest.mark.process
def test_what_is_asked_is_answered(home: Path) -> None:
    recipe = recipe_of(home, SETTINGS)
    file = WhatIf().file(home, recipe)
    file.parent.mkdir(parents=True)
    background.write(file, WhatIfResult(question=Question((1,), (None,), 1), finished=True, error="The disk is full."))
    app = opened(steps.STRATEGY.script, **{name: str(value) for name, value in SETTINGS.items()})
    assert errors(app) == ["The disk is full."]
    assert TITLE in [element.value for element in app.subheader]
    app.button(key="ask_what_if").click().run()
    assert not errors(app)
    assert "ask_what_if" not in [button.key for button in app.button]  # it is at work
    wait_until(lambda: (found := WhatIf().read(home, recipe)) and found.finished)
    found = WhatIf().read(home, recipe)
    assert found
    assert not found.error
    assert len(found.answers) == found.question.answers == 5 * 5 * 5
    app = opened(steps.STRATEGY.script, **{name: str(value) for name, value in SETTINGS.items()})
    assert any(caption.value.startswith("125 answers in") for caption in app.caption)
    assert app.button(key="ask_what_if").label == "Ask again"


def test_there_are_none_without_a_pretrained_network(home: Path) -> None:
    settings = {"backbone": "small_cnn", "backbone.width": "4", "strategy": "from_scratch", "image_size": "16"}
    recipe_of(home, settings)
    assert TITLE not in [element.value for element in opened(steps.STRATEGY.script, **settings).subheader]


def test_the_question_fits_the_dataset(tmp_path: Path) -> None:
    from tests.helpers import write_images

    folder = write_images(tmp_path / "pets", classes=2, each=24)
    recipe = Recipe.of(RunSpec().with_settings({"dataset": "image_folder", "dataset.path": str(folder)}))
    asked = what_ifs.study_of(recipe).question
    assert asked.labels == (1, 2, 5, 10, None)
    assert what_ifs.study_of(Recipe.of(RunSpec())).question.labels == (2, 5, 10, 20, 50)
