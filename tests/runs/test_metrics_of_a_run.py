"""What a run was measured by stays with it: in its result, in the store, and in what programs are told."""

import json
from math import isnan, nan

import numpy as np
import pytest

from tests.helpers import QUICK, keep_run
from tests.metrics.examples import examples
from tests.tools.short_training import outcome
from tl_core.analysis.statements import interval_of
from tl_core.cli.format import summary
from tl_core.metrics import measure
from tl_core.result import Better, MetricValue, Result
from tl_core.runs import artifacts
from tl_core.runs.file_link import Mailbox, collect
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.training.train import train

UNDEFINED = MetricValue(name="undefined", value=nan, low=None, high=None, n=300, better=Better.LOWER)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(scope="module")
def result() -> Result:
    """With metrics, one of which is not defined."""
    labels, probabilities = examples()
    return outcome(4, 0).result.model_copy(
        update={
            "metrics": (*measure(labels, probabilities), UNDEFINED),
            "test_correct": int((labels == probabilities.argmax(axis=1)).sum()),
            "test_images": len(labels),
        }
    )


def require_same(found: tuple[MetricValue, ...], expected: tuple[MetricValue, ...]) -> None:
    assert found[:-1] == expected[:-1]
    assert found[-1].model_copy(update={"value": 0}) == expected[-1].model_copy(update={"value": 0})
    assert isnan(found[-1].value)


def test_a_run_is_measured() -> None:
    done = train(QUICK, lambda event: None)
    by_name = {metric.name: metric for metric in done.result.metrics}
    assert done.result.metrics == measure(done.predictions.labels, done.predictions.probabilities)
    assert by_name["accuracy"].value == done.accuracy
    assert {"balanced_accuracy", "log_loss", "roc_auc"} < set(by_name)


def test_a_result_keeps_them(result: Result) -> None:
    require_same(Result.model_validate_json(result.model_dump_json()).metrics, result.metrics)


def test_a_result_of_before_has_none(result: Result) -> None:
    stored = json.loads(result.model_dump_json())
    del stored["metrics"]
    assert Result.model_validate(stored).metrics == ()


def test_the_store_keeps_them(store: Store, result: Result) -> None:
    keep_run(store, "a", State.DONE, **artifacts.summary(result))
    keep_run(store, "b")
    require_same(store.run("a").metrics, result.metrics)
    assert store.run("b").metrics == ()


def test_a_process_that_does_not_see_the_store_tells_them(store: Store, result: Result) -> None:
    store.create("a", QUICK)
    store.folder("a").mkdir()
    artifacts.write_spec(store.folder("a"), QUICK)
    store.change_state("a", (State.QUEUED,), State.STARTING, attempts=1)
    mailbox = Mailbox(store.folder("a"), 1)
    mailbox.change_state((State.STARTING,), State.RUNNING, started=5.0)
    artifacts.write_outcome(mailbox.folder, outcome(4, 0))
    mailbox.change_state((State.RUNNING,), State.DONE, **artifacts.summary(result))
    collect(store, store.run("a"))
    assert store.run("a").state is State.DONE
    require_same(store.run("a").metrics, result.metrics)


def test_programs_are_told_them_beside_the_accuracy(store: Store, result: Result) -> None:
    keep_run(store, "a", State.DONE, **artifacts.summary(result))
    told = json.loads(json.dumps(summary(run := store.run("a")), allow_nan=False))
    interval = interval_of(run)
    assert interval
    assert told["accuracy"] == result.accuracy
    assert told["accuracy_interval"] == [interval.low, interval.high]
    assert told["metrics"]["accuracy"] == {"value": result.accuracy, "low": interval.low, "high": interval.high}
    assert told["metrics"]["undefined"] == {"value": None, "low": None, "high": None}
    assert list(told["metrics"]) == [metric.name for metric in result.metrics]
    assert np.isfinite(told["metrics"]["log_loss"]["high"])
