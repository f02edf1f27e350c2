"""Where another metric than accuracy decides a run, its pages say so: the choice, the headline, and what thresholds attain."""

import pytest

from tests.helpers import QUICK
from tests.pages.test_compare_by import RARE_FOUND, put
from tests.tools.pages import errors, opened
from tl_core.result import Threshold
from tl_core.runs import artifacts
from tl_core.runs.store import Store
from tl_core.ui import steps

pytestmark = pytest.mark.usefixtures("nothing_cached")
THRESHOLDS = (
    Threshold(class_id=4, value=0.6, n=50, precision=0.5, recall=0.7),
    Threshold(class_id=0, value=None, n=50, precision=None, recall=0.0),
)


def test_the_metric_that_decides_is_the_headline(home: object) -> None:
    balanced = put(RARE_FOUND, finds_the_rare=True, spec=QUICK.with_settings({"metric": "balanced_accuracy"}))[1]
    app = opened(steps.RESULT.script, run=RARE_FOUND)
    assert not errors(app)
    headline = next(each.value.replace("\N{NO-BREAK SPACE}", " ") for each in app.markdown if each.value.startswith("###"))
    assert headline.startswith(f"### Balanced accuracy {100 * balanced:.0f} % (")
    assert "on 250 test images" in headline
    assert any(each.value.startswith("Accuracy: ") and "The test images choose nothing." in each.value for each in app.caption)
    assert "### Test balanced accuracy" in " ".join(each.value for each in opened(steps.TRAIN.script, run=RARE_FOUND).markdown)


def test_thresholds_show_what_they_attain_on_the_test(home: object) -> None:
    spec = QUICK.with_settings({"metric": "recall_at_precision", "metric.precision": 0.5})
    put(RARE_FOUND, finds_the_rare=True, spec=spec)
    folder = Store().folder(RARE_FOUND)
    result = artifacts.read_result(folder).model_copy(update={"thresholds": THRESHOLDS})
    (folder / artifacts.RESULT).write_text(result.model_dump_json(), encoding="utf-8")
    app = opened(steps.RESULT.script, run=RARE_FOUND)
    assert not errors(app)
    table = app.table[0].value
    assert table.loc["e", "From probability"] == "0.600"
    assert table.loc["e", "Recall"].endswith("10 of 10")
    assert table.loc["a", "From probability"] == "none is right often enough"
    assert table.loc["a", "Precision"] == "\N{EN DASH}"
    assert any("fitted to the 50 validation images" in each.value for each in app.caption)


def test_the_choice_and_its_settings_are_part_of_the_recipe(home: object, known_profiles: None) -> None:
    app = opened(steps.STRATEGY.script)
    app.selectbox(key="metric_name").set_value("cost").run()
    app.text_input(key="cost_metric_costs").set_value("[[0, 1], [5, 0]]").run()
    assert not errors(app)
    draft = app.session_state["draft_spec"]
    assert (draft["metric"], draft["metric.costs"]) == ("cost", [[0.0, 1.0], [5.0, 0.0]])
    assert app.query_params["metric"] == "cost"
    assert "taken for the class of the least expected cost" in " ".join(each.value.replace("\\", "") for each in app.caption)
    app.text_input(key="cost_metric_costs").set_value("[[0, 1], [5]]").run()
    assert ["a row has more or fewer numbers than there are rows" in each for each in errors(app)] == [True]
    app.text_input(key="cost_metric_costs").set_value("").run()
    assert app.session_state["draft_spec"]["metric.costs"] == []


def test_a_task_offers_its_own_metrics_and_none_is_named_until_somebody_does(home: object, known_profiles: None) -> None:
    app = opened(steps.STRATEGY.script, task="regression", dataset="csv_manifest")
    chosen = app.selectbox(key="metric_name")
    assert (chosen.value, chosen.placeholder) == (None, "Mean absolute error, and the loss chooses")
    assert chosen.options == ["Mean absolute error", "Root mean squared error", "R\N{SUPERSCRIPT TWO}", "Spearman correlation"]
    assert any("The loss on the validation images chooses" in each.value for each in app.caption)
    chosen.set_value("mae").run()
    assert app.session_state["draft_spec"]["metric"] == "mae"
    assert any("Its value on the validation images chooses" in each.value for each in app.caption)
    app.selectbox(key="metric_name").set_value(None).run()
    assert app.session_state["draft_spec"]["metric"] == "accuracy"
