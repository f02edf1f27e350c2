"""The search on the page What if: what was found, what was not tried, and what can be done with the best."""

from pathlib import Path

import pytest

from tests.tools.pages import errors, opened
from tests.tools.ranked import keep_trained
from tl_core.jobs import background
from tl_core.metrics.accuracy import Accuracy
from tl_core.recipe import Recipe
from tl_core.runner.search_result import SearchResult
from tl_core.runs.searched import NotTried, Regret, Tried, Why
from tl_core.runs.states import State
from tl_core.spec import RunSpec
from tl_core.studies.search import Search
from tl_core.ui import session, steps

pytestmark = pytest.mark.usefixtures("nothing_cached", "known_profiles")
FOUND = SearchResult(
    seconds=312.0,
    finished=True,
    budget=600.0,
    networks=2,
    tried=(
        Tried("a", "EfficientNet-Lite0", "Linear probe", State.DONE, 5.0, Accuracy().of_counts(80, 100)),
        Tried("b", "EfficientNet-Lite0", "Nearest class mean", State.DONE, 40.0, Accuracy().of_counts(90, 100)),
    ),
    not_tried=(NotTried("EfficientNet-Lite0", "Fine-tuning", Why.BUDGET, 400.0),),
    best="b",
    alone="a",
    regret=Regret(0.1, None),
    test=Accuracy().of_counts(170, 200),
)


def keep(home: Path) -> None:
    file = Search().file(home, Recipe.of(RunSpec()))
    file.parent.mkdir(parents=True, exist_ok=True)
    background.write(file, FOUND)


def test_what_was_found_is_told_and_the_best_is_taken_by_a_click(home: Path) -> None:
    keep(home)
    keep_trained("a", 160)
    keep_trained("b", 170, strategy="nearest_class_mean")
    session.runs.clear()
    app = opened(steps.WHAT_IF.script)
    assert not errors(app)
    said = " ".join(each.value.replace("\\", "") for each in (*app.markdown, *app.caption))
    for text in (
        "Best found: EfficientNet-Lite0 (Nearest class mean), accuracy 90",
        "Of 200 test examples, which have chosen nothing, it has 85",
        "given EfficientNet-Lite0 (Linear probe): 10 points behind it on the validation examples",
        "5 min 12 s of 10 min",
    ):
        assert text in said.replace("\N{NO-BREAK SPACE}", " ")
    table = next(each.value for each in app.dataframe if "Why" in each.value and "Network" in each.value)
    assert table["Strategy"].tolist() == ["Nearest class mean", "Linear probe", "Fine-tuning"]
    assert table["State"].tolist() == ["Done", "Done", "Not tried"]
    assert table["Why"].tolist()[-1] == "It takes about 6 min 40 s, and there was less."
    app.button(key="use_best").click().run()
    assert not errors(app)
    assert app.session_state[session.SPEC]["strategy"] == "nearest_class_mean"
    assert app.button(key="ask_search").label == "Search again"  # it stands there still


def test_what_it_cannot_be_asked_of_is_refused_in_a_sentence(home: Path) -> None:
    app = opened(steps.WHAT_IF.script, metric="ece")
    app.button(key="ask_search").click().run()
    (said,) = errors(app)
    assert "chooses nothing on validation examples" in said
