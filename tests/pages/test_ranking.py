"""The Backbone page's ranking: what is said of networks, and a click that takes one."""

from pathlib import Path

import pytest

from tests.tools.pages import errors, opened
from tl_core.analysis.ranking import SAMPLES, Candidate, Scored
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.backbone_ranking import BackboneRanking, BackboneRankingResult
from tl_core.ui import ranking, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")
TITLE = BackboneRanking.title


def scored(title: str, backbone: str, value: float, cost: int) -> Candidate:
    scores = {each.name: Scored(value, (value,) * SAMPLES) for each in BackboneRanking().asked}
    return Candidate(title, backbone, size="96 px", multiply_adds=cost, published=0.7, scores=scores)


FOUND = BackboneRankingResult(
    examples=160,
    expected=2,
    candidates=(
        scored("EfficientNet-Lite0", "efficientnet_lite0", 0.8, 70_000_000),
        scored("EfficientNet-Lite1", "efficientnet_lite1", 0.9, 90_000_000),
    ),
    finished=True,
    seconds=5.0,
)


@pytest.fixture
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has a second network, whether or not its package is installed here."""
    monkeypatch.setattr(ranking, "candidates", lambda recipe: [recipe, recipe])


def test_the_best_network_is_taken_by_a_click(home: Path, two_networks: None) -> None:
    recipe = Recipe.of(RunSpec())
    file = BackboneRanking().file(home, recipe)
    file.parent.mkdir(parents=True)
    background.write(file, FOUND)
    app = opened(steps.BACKBONE.script)
    assert not errors(app)
    said = [element.value.replace("\\", "") for element in app.markdown]
    expected = "Take EfficientNet-Lite1. EfficientNet-Lite0 takes 78 % of its computation and is behind it beyond doubt."
    assert any(expected in text.replace("\N{NO-BREAK SPACE}", " ") for text in said)
    (table,) = (each.value for each in app.dataframe)
    assert table["Rank"].tolist() == ["1", "2"]
    assert table["Network"].tolist() == ["EfficientNet-Lite1", "EfficientNet-Lite0"]
    app.button(key="take_network_0").click().run()
    assert app.radio(key="network").value == "EfficientNet-Lite1"


def test_one_network_alone_is_not_ranked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "candidates", lambda recipe: [recipe])
    assert TITLE not in [element.value for element in opened(steps.BACKBONE.script).subheader]


def test_it_is_offered_where_there_are_two(home: Path, two_networks: None) -> None:
    app = opened(steps.BACKBONE.script)
    assert TITLE in [element.value for element in app.subheader]
    assert app.button(key="ask_backbone_ranking").label == "Rank them"
