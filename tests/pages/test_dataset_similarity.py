"""The Backbone page's comparison with data seen before: what it says, and what stands there before there is any."""

from pathlib import Path

import pytest

from tests.studies.test_dataset_similarity import seen
from tests.tools.pages import errors, opened
from tests.tools.ranked import keep_trained
from tl_core.analysis.comparison import MINUS
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.dataset_similarity import DatasetSimilarity, DatasetSimilarityResult
from tl_core.ui import session, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")


def test_before_other_data_were_learned_from_it_says_what_will_be_here_and_then_what_was_found(home: Path) -> None:
    app = opened(steps.BACKBONE.script)
    assert any("Once runs have learned from other images than these" in each.value for each in app.caption)
    keep_trained("a", 150, dataset="digits")
    session.runs.clear()
    study, recipe = DatasetSimilarity(), Recipe.of(RunSpec())
    app.run()
    assert app.button(key=f"ask_{study.name}").label == "Compare them"
    file = study.file(home, recipe)
    file.parent.mkdir()
    pair = (seen("Dogs", 3.0, "X with Y"), seen("Cats", 0.004))
    background.write(file, DatasetSimilarityResult(network="Toy", examples=400, expected=2, seen=pair, apart=2.0, finished=True))
    app.run()
    assert not errors(app)
    assert any(each.value.startswith("**Most like Cats, where Lite0 with Probe won") for each in app.markdown)
    (table,) = (each.value for each in app.dataframe)
    assert table["Dataset"].tolist() == ["Cats", "Dogs"]
    assert table["MMD"].tolist()[0].startswith(f"0.004 ({MINUS}0.1")
    assert table["Transfer"].tolist()[1] == "harmed"
