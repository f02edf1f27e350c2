"""The Backbone page's ranking: what is said of networks, a click that takes one, and how right it was."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tools.pages import errors, opened
from tests.tools.ranked import RANKED, keep_ranking, keep_trained
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec
from tl_core.studies.backbone_ranking import BackboneRanking
from tl_core.ui import ranking, session, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")
TITLE = BackboneRanking.title


@pytest.fixture
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has a second network, whether or not its package is installed here."""
    monkeypatch.setattr(ranking, "candidates", lambda recipe: [recipe, recipe])


def test_the_best_network_is_taken_by_a_click(home: Path, two_networks: None) -> None:
    keep_ranking(home, Recipe.of(RunSpec()))
    app = opened(steps.BACKBONE.script)
    assert not errors(app)
    said = [element.value.replace("\\", "") for element in app.markdown]
    expected = "Take EfficientNet-Lite1. EfficientNet-Lite0 takes 78 % of its computation and is behind it beyond doubt."
    assert any(expected in text.replace("\N{NO-BREAK SPACE}", " ") for text in said)
    assert any("see these examples most alike (CKA 0.93)" in text for text in said)
    (table,) = (each.value for each in app.dataframe)
    assert table["Rank"].tolist() == ["1", "2"]
    assert table["Network"].tolist() == ["EfficientNet-Lite1", "EfficientNet-Lite0"]
    app.button(key="take_network_0").click().run()
    assert app.radio(key="network").value == "EfficientNet-Lite1"
    assert len(app.dataframe) == 1  # the ranking stands there still


def test_one_network_alone_is_not_ranked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "candidates", lambda recipe: [recipe])
    assert TITLE not in [element.value for element in opened(steps.BACKBONE.script).subheader]


def test_it_is_offered_where_there_are_two(home: Path, two_networks: None) -> None:
    app = opened(steps.BACKBONE.script)
    assert TITLE in [element.value for element in app.subheader]
    assert app.button(key="ask_backbone_ranking").label == "Rank them"


def said(app: AppTest) -> str:
    return " ".join(element.value.replace("\\", "") for element in (*app.markdown, *app.caption))


def test_finished_runs_are_held_against_it(home: Path, two_networks: None) -> None:
    keep_ranking(home, Recipe.of(RunSpec()))
    keep_trained("a", 160)
    assert "Train two of these networks" in said(opened(steps.BACKBONE.script))
    keep_trained("b", 150, backbone="efficientnet_lite1")
    session.runs.clear()
    app = opened(steps.BACKBONE.script)
    assert "EfficientNet-Lite1, foretold to be the best, is 5 points below EfficientNet-Lite0" in said(app)
    _, table = (each.value for each in app.dataframe)
    assert table.iloc[0].to_dict() == {
        "Strategy": "Linear probe",
        "Networks": 2,
        "Tau": "\N{MINUS SIGN}1.00",
        "Regret": "5.0 points",
        "Tau, ImageNet": "\N{MINUS SIGN}1.00",
        "Regret, ImageNet": "5.0 points",
    }


def test_a_ranking_of_before_says_that_it_must_be_made_again(home: Path, two_networks: None) -> None:
    keep_ranking(home, Recipe.of(RunSpec()), replace(RANKED, data_digest="", test_digest=""))
    assert "Rank again" in said(opened(steps.BACKBONE.script))
