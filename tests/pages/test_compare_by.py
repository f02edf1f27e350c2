"""Compare by any metric: it decides the column, the order, the chart and the verdicts, and the address holds it."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import QUICK, keep_run
from tests.metrics.examples import examples
from tests.tools.pages import errors, opened
from tests.tools.short_training import outcome
from tl_core.events import Epoch, Plan
from tl_core.metrics import measure, metrics
from tl_core.metrics.balanced_accuracy import BalancedAccuracy
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.ui import steps

pytestmark = pytest.mark.usefixtures("nothing_cached")
SMALL = 4
RARE_FOUND, RARE_MISSED, STORED_BEFORE = "20260101-000000-aaaaaa", "20260101-000001-bbbbbb", "20260101-000002-cccccc"


def put(run_id: str, *, finds_the_rare: bool, is_measured: bool = True, spec: RunSpec = QUICK) -> tuple[float, float]:
    """A finished run on the same 250 images, of which 10 are of a rare class; its accuracy and balanced accuracy."""
    labels, probabilities = examples(1000, sharpness=4.0)
    kept = np.concatenate([np.flatnonzero(labels == label)[: 10 if label == SMALL else 60] for label in range(5)])
    labels, probabilities = labels[kept], probabilities[kept].copy()
    others, rare = np.flatnonzero(labels != SMALL), np.flatnonzero(labels == SMALL)
    # Whoever finds the rare class takes twenty others for it.
    probabilities[rare] = np.eye(5)[SMALL if finds_the_rare else 0]
    if finds_the_rare:
        probabilities[others[::12]] = np.eye(5)[SMALL]
    done = outcome(4, 0)
    right = int((labels == probabilities.argmax(axis=1)).sum())
    told = {"class_names": tuple("abcde"), "test_images": len(labels), "test_correct": right, "test_digest": "of these images"}
    result = done.result.model_copy(
        update=told | {"metrics": measure(labels, probabilities, metrics.build(spec.metric)) if is_measured else ()}
    )
    store = Store()
    keep_run(store, run_id, State.DONE, spec, **artifacts.summary(result))
    store.folder(run_id).mkdir()
    said = replace(done.predictions, labels=labels, probabilities=probabilities)
    artifacts.write_outcome(store.folder(run_id), replace(done, result=result, predictions=said))
    return right / len(labels), BalancedAccuracy().value(labels, probabilities)


@pytest.fixture
def runs() -> dict[str, tuple[float, float]]:
    """Of two runs one has the higher accuracy and the other the higher balanced accuracy; a third one, as the first, is older."""
    found = {RARE_FOUND: put(RARE_FOUND, finds_the_rare=True), RARE_MISSED: put(RARE_MISSED, finds_the_rare=False)}
    assert found[RARE_FOUND][0] < found[RARE_MISSED][0]
    assert found[RARE_FOUND][1] > found[RARE_MISSED][1]
    put(STORED_BEFORE, finds_the_rare=True, is_measured=False)
    return found


def page(**address: str) -> AppTest:
    app = opened(steps.COMPARE.script, **address)
    assert not errors(app)
    return app


def texts(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in (*app.markdown, *app.caption))


def test_accuracy_decides_as_long_as_nothing_else_is_chosen(runs: dict[str, tuple[float, float]]) -> None:
    app = page(runs=f"{RARE_FOUND},{RARE_MISSED}")
    assert app.dataframe[0].value["Run"].iloc[0] == RARE_MISSED
    assert "Accuracy" in app.dataframe[0].value
    assert "exact McNemar" in texts(app)
    assert "by" not in app.query_params


def test_the_chosen_metric_decides_column_order_chart_and_verdict(runs: dict[str, tuple[float, float]]) -> None:
    app = page(runs=f"{RARE_FOUND},{RARE_MISSED}")
    app.selectbox(key="compare_by").set_value("Balanced accuracy").run()
    assert not app.exception
    assert app.query_params["by"] == "balanced_accuracy"
    table = app.dataframe[0].value
    assert "Accuracy" not in table
    assert table["Run"].tolist()[-1] == RARE_MISSED
    shown = table.set_index("Run")["Balanced accuracy"]
    assert shown[STORED_BEFORE] == shown[RARE_FOUND]  # computed from what was stored
    assert shown[RARE_FOUND].strip("\N{FIGURE SPACE}").startswith(f"{100 * runs[RARE_FOUND][1]:.0f} % (")
    said = texts(app)
    assert "points in balanced accuracy on the same 250 images" in said
    assert "95 % interval of the difference by a paired bootstrap" in said
    assert "McNemar" not in said


def test_curves_are_drawn_of_the_metric_that_decides_of_the_runs_that_have_it(runs: dict[str, tuple[float, float]]) -> None:
    decided, store = "20260101-000003-dddddd", Store()
    put(decided, finds_the_rare=True, spec=QUICK.with_settings({"metric": "balanced_accuracy"}))
    for run_id, value in ((RARE_FOUND, None), (decided, 0.7)):
        store.record(run_id, [(1.0, Plan((), 9, 9, 9)), (2.0, Epoch("all", 1, 1, 0.5, 0.5, 0.4, 0.6, 1.0, value))])
    app = page(runs=f"{RARE_FOUND},{decided}")
    measures = ["Accuracy (%)", "Balanced accuracy (%)", "Loss (nats)"]
    assert set(app.radio(key="curve").options) == set(measures)
    for title, is_told in zip(measures, (False, True, False), strict=True):
        app.radio(key="curve").set_value(app.radio(key="curve").options.index(title)).run()
        assert not app.exception
        assert ("1 of the 2 runs has no such curve." in texts(app)) == is_told


def test_an_address_holds_the_metric_with_its_settings(runs: dict[str, tuple[float, float]]) -> None:
    app = page(**{"by": "recall_at_precision", "by.class_id": "4", "by.precision": "0.4"})
    title = "Recall at a precision (precision 0.4, class 4)"
    assert app.selectbox(key="compare_by").value == title
    assert title in app.dataframe[0].value
    assert set(app.query_params) >= {"by", "by.class_id", "by.precision"}
    app.selectbox(key="compare_by").set_value("Log loss").run()
    assert not {"by.class_id", "by.precision"} & set(app.query_params)
    assert "Lower is better." in texts(app)


def test_what_says_nothing_of_so_few_classes_is_told(runs: dict[str, tuple[float, float]]) -> None:
    app = page(by="top_5")
    assert "Top-5 accuracy is lacking: It says nothing of so many classes as 3 runs have." in texts(app)
    assert app.dataframe[0].value["Top-5 accuracy"].isna().all()


def test_lost_predictions_are_told_and_hide_no_run(runs: dict[str, tuple[float, float]]) -> None:
    (Store().folder(STORED_BEFORE) / artifacts.PREDICTIONS).unlink()
    app = page(by="macro_f1", runs=f"{RARE_FOUND},{STORED_BEFORE}")
    assert "The predictions of 1 run, which it needs, cannot be read." in texts(app)
    assert len(app.dataframe[0].value) == 3


@pytest.mark.parametrize(("name", "said"), [("acuracy", "Did you mean accuracy?"), ("cost", "There is no setting metric.typo")])
def test_a_metric_that_is_none_is_one_sentence(runs: dict[str, tuple[float, float]], name: str, said: str) -> None:
    app = opened(steps.COMPARE.script, **{"by": name} | ({"by.typo": "1"} if name == "cost" else {}))
    assert [said in each for each in errors(app)] == [True]
    assert app.selectbox(key="compare_by").value == "Accuracy"


def test_a_metric_has_a_form_for_its_settings(runs: dict[str, tuple[float, float]]) -> None:
    """What is set stands in the address, in the list and in the table; a metric without settings has no form."""
    app = page()
    assert not app.number_input
    app.selectbox(key="compare_by").set_value("Top-5 accuracy").run()
    app.number_input(key="top_5_metric_k").set_value(2).run()
    assert (app.query_params["by"], app.query_params["by.k"]) == ("top_5", "2")
    assert app.selectbox(key="compare_by").value == "Top-5 accuracy (classes 2)"
    assert app.dataframe[0].value["Top-5 accuracy (classes 2)"].notna().all()
    app.number_input(key="top_5_metric_k").set_value(5).run()  # the default has no name in the address
    assert (app.query_params["by"], "by.k" in app.query_params) == ("top_5", False)
    app.selectbox(key="compare_by").set_value("Recall at a precision").run()
    app.number_input(key="recall_at_precision_metric_precision").set_value(0.4).run()
    app.number_input(key="recall_at_precision_metric_class_id").set_value(4).run()
    assert app.selectbox(key="compare_by").value == "Recall at a precision (precision 0.4, class 4)"
    assert (app.query_params["by.precision"], app.query_params["by.class_id"]) == ("0.4", "4")
    assert not errors(app)


def test_settings_that_do_not_fit_are_one_sentence_and_change_nothing(runs: dict[str, tuple[float, float]]) -> None:
    app = page(by="cost")
    app.text_input(key="cost_metric_costs").set_value("[[0, 1], [5]]").run()
    (why,) = errors(app)
    assert "a row has more or fewer numbers than there are rows" in why
    assert (app.query_params["by"], "by.costs" in app.query_params) == ("cost", False)
    rows = [[0 if true == said else 1 + (true == 4) for said in range(5)] for true in range(5)]
    app.text_input(key="cost_metric_costs").set_value(str(rows)).run()
    assert not errors(app)
    assert str(app.selectbox(key="compare_by").value).startswith("Cost (costs ")
    assert app.dataframe[0].value.iloc[:, 1:].notna().any(axis=None)


def test_the_address_holds_the_baseline(runs: dict[str, tuple[float, float]]) -> None:
    app = page(runs=",".join(runs) + f",{STORED_BEFORE}", against=RARE_FOUND)
    assert app.selectbox(key="baseline").value == RARE_FOUND
    assert texts(app).count("by Holm among 2 comparisons") == 2
    app.selectbox(key="baseline").set_value(RARE_MISSED).run()
    assert app.query_params["against"] == RARE_MISSED
    assert not errors(app)
