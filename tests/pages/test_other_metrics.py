"""The Result page shows more than accuracy: all metrics with their intervals, and the classes first where they are uneven."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers import QUICK, keep_run
from tests.metrics.examples import examples
from tests.tools.pages import errors, opened
from tests.tools.short_training import outcome
from tl_core.metrics import default_metrics, measure, metrics
from tl_core.result import MetricValue
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import other_metrics, steps

pytestmark = pytest.mark.usefixtures("nothing_cached")
SMALL_CLASS = 4


def finish(run_id: str, *, uneven: bool, is_measured: bool = True) -> tuple[MetricValue, ...]:
    """A finished run with five classes, one of them small where they are `uneven`; the metrics of its predictions."""
    labels, probabilities = examples(500)
    sizes = [10 if uneven and label == SMALL_CLASS else 60 for label in range(5)]
    kept = np.concatenate([np.flatnonzero(labels == label)[:size] for label, size in enumerate(sizes)])
    labels, probabilities = labels[kept], probabilities[kept]
    measured = measure(labels, probabilities)
    done = outcome(4, 0)
    told = {
        "class_names": tuple("abcde"),
        "test_images": len(labels),
        "test_correct": int((labels == probabilities.argmax(axis=1)).sum()),
        "metrics": measured if is_measured else (),
    }
    result, said = done.result.model_copy(update=told), replace(done.predictions, labels=labels, probabilities=probabilities)
    store = Store()
    keep_run(store, run_id, State.DONE, QUICK, **artifacts.summary(result))
    store.folder(run_id).mkdir()
    artifacts.write_outcome(store.folder(run_id), replace(done, result=result, predictions=said))
    return measured


def test_classes_stand_first_where_those_to_learn_from_are_uneven() -> None:
    finish("a", uneven=False)
    folder = Store().folder("a")
    result = artifacts.read_result(folder).model_copy(update={"train_sizes": (90, 90, 90, 90, 9)})
    (folder / artifacts.RESULT).write_text(result.model_dump_json(), encoding="utf-8")
    app = page("a")
    assert tabs(app)[0] == "Classes"
    assert any("The largest class has 90 training images and the smallest 9" in info.value for info in app.info)


def page(run_id: str) -> AppTest:
    app = opened(steps.RESULT.script, run=run_id)
    assert not errors(app)
    return app


def tabs(app: AppTest) -> list[str]:
    return [tab.label for tab in app.tabs]


def shown(app: AppTest) -> dict[str, str]:
    (table,) = (each.value for each in app.table)
    assert table["What it is"].map(lambda text: text.endswith(".")).all()
    return {title: value.replace("\N{NO-BREAK SPACE}", " ") for title, value in table["Value"].items()}


def test_all_metrics_stand_there_with_their_intervals() -> None:
    values = {metrics.part(value.name).title: value for value in finish("a", uneven=False)}
    found = shown(page("a"))
    assert list(found) == [metric.title for metric in default_metrics(5)]
    share, loss = values["Balanced accuracy"], values["Log loss"]
    assert share.low is not None
    assert found["Balanced accuracy"].startswith(f"{100 * share.value:.0f} % ({100 * share.low:.0f}\N{EN DASH}")
    assert found["Log loss"] == f"{loss.value:.3f} ({loss.low:.3f}\N{EN DASH}{loss.high:.3f})"


def test_a_run_of_before_is_measured_when_it_is_looked_at() -> None:
    finish("a", uneven=False)
    finish("b", uneven=False, is_measured=False)
    assert Store().run("b").metrics == ()
    assert shown(page("b")) == shown(page("a"))


def test_classes_stand_first_where_they_are_uneven() -> None:
    values = {value.name: value for value in finish("a", uneven=True)}
    finish("b", uneven=False)
    app = page("a")
    assert tabs(app)[0] == "Classes"
    (said,) = (info.value.replace("\N{NO-BREAK SPACE}", " ") for info in app.info if "Balanced accuracy" in info.value)
    assert "The largest class has 60 test images and the smallest 10: accuracy hides" in said
    assert other_metrics.text_of(values["balanced_accuracy"]) in said
    even = page("b")
    assert tabs(even)[0] == "Mistakes"
    assert sorted(tabs(even)) == sorted(tabs(app))
    assert not [info for info in even.info if "Balanced accuracy" in info.value]


def test_what_is_not_known_or_not_defined_is_said_so() -> None:
    value = finish("a", uneven=False)[0]
    assert other_metrics.text_of(value.model_copy(update={"value": float("nan")})) == "not defined"
    assert other_metrics.text_of(value.model_copy(update={"low": None, "high": None, "value": 0.5})) == "50.0 %"
    assert other_metrics.text_of(value.model_copy(update={"name": "from_elsewhere", "low": None, "value": 0.5})) == "0.500"
