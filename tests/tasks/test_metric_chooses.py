"""A metric of labels or of numbers that the user names chooses on the validation images."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.crops import crops
from tests.tasks.pairs import pairs
from tl_core.analysis.thresholds import threshold_values
from tl_core.events import Epoch, Event
from tl_core.heads import LogisticRegression, OneVsRest, Problem, RidgeRegression
from tl_core.metrics import metrics
from tl_core.phases.phase import Learning
from tl_core.recipe import changed
from tl_core.result import thresholded
from tl_core.spec import PartSpec, RunSpec
from tl_core.tasks.multi_label import LabelOutputs, MultiLabel
from tl_core.tasks.regression import NumberOutputs, Regression
from tl_core.training.loop import Progress
from tl_core.training.scoring import Judge
from tl_core.training.train import train

FROM_SCRATCH = {"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "image_size": 32}
LEARNING = {"strategy.epochs": 3, "strategy.patience": 2, "strategy.learning_rate": 3e-2}


def labelled(folder: Path) -> dict[str, Any]:
    return {"task": "multi_label", "dataset.path": str(pairs(folder, 3))}


def numbered(folder: Path) -> dict[str, Any]:
    return {"task": "regression", "dataset.path": str(crops(folder, 90)), "dataset.label_column": "side"}


@pytest.mark.parametrize(("given", "metric"), [(labelled, "label_macro_f1"), (numbered, "spearman")])
def test_the_epoch_that_is_kept_is_the_best_by_it(given: Callable[[Path], dict[str, Any]], metric: str, tmp_path: Path) -> None:
    spec = RunSpec().with_settings({"dataset": "csv_manifest"} | FROM_SCRATCH | LEARNING | given(tmp_path))
    events: list[Event] = []
    phase = train(spec.with_settings({"metric": metric}), events.append).result.phases[-1]
    told = [event.validation_metric for event in events if isinstance(event, Epoch)]
    values = [-np.inf if value is None else value for value in told]
    assert phase.best_epoch == 1 + int(np.argmax(values))
    assert phase.ended is not None
    assert phase.ended.validation_metric == max(values)


def test_a_task_that_is_chosen_alone_leaves_no_metric_that_says_nothing_of_it() -> None:
    named = RunSpec().with_settings({"metric": "top_5", "metric.k": 3})
    assert changed(named, {"task": "regression"}).metric == RunSpec().metric
    assert changed(named, {"task": "classification"}).metric == named.metric
    assert changed(named, {"task": "regression", "metric": "r2"}).metric.name == "r2"


def test_labels_are_judged_with_thresholds_as_in_the_test() -> None:
    """Probabilities that are far below 1/2 and in order are as good as others."""
    rng = np.random.default_rng(0)
    labels = rng.random((40, 3)) < 0.4
    said = (0.1 * labels + 0.05 * rng.random((40, 3))).astype(np.float32)
    micro_f1 = metrics.build(PartSpec(name="micro_f1"))
    judge = Judge(micro_f1, MultiLabel(), LabelOutputs(("a", "b", "c")), chooses=True)
    assert micro_f1.value(labels, said) == 0
    assert judge.judged(labels, said) == (1.0, -1.0)
    thresholds = threshold_values(MultiLabel().thresholds(labels, said))
    assert micro_f1.value(labels, thresholded(said, thresholds)) == judge.value(labels, said)
    assert judge.judged(labels, np.full_like(said, np.nan)) == (None, np.inf)


def test_numbers_are_judged_in_their_unit() -> None:
    labels = np.array([10.0, 20.0, 40.0])
    outputs = NumberOutputs(("age",), mean=20.0, deviation=5.0)
    judge = Judge(metrics.build(PartSpec(name="mae")), Regression(), outputs, chooses=True)
    given = outputs.targets(labels, Learning()) + 1
    assert judge.judged(labels, given) == (5.0, 5.0)
    assert judge.score_of_solved(outputs.solved(labels), given) == 5.0


def test_a_penalty_is_chosen_by_the_score_of_what_was_left_out() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 8))
    numbers = (features @ rng.normal(size=8) + rng.normal(size=60))[:, None]

    def penalty(score: Any) -> float:
        return RidgeRegression().solve(Problem((features, numbers), 1, score=score)).chosen["penalty"]

    wide, narrow = (penalty(lambda truth, said, sign=sign: sign * float(np.ptp(said))) for sign in (-1, 1))
    assert wide < penalty(None) < narrow
    assert penalty(lambda truth, said: 0.0) == penalty(None)


def test_each_label_chooses_its_penalty_by_its_own_score() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(90, 6))
    labels = np.stack([features[:, 0] > 0, features @ rng.normal(size=6) + rng.normal(size=90) > 0], axis=1)
    seen = list[tuple[Any, Any]]()

    def surest(truth: Any, said: Any) -> float:
        seen.append((truth, said))
        return -float(np.abs(said - 0.5).mean())

    given = Problem((features[:60], labels[:60]), 2, validation=(features[60:], labels[60:]), score=surest)
    loose, usual = (OneVsRest(LogisticRegression()).solve(each).chosen for each in (given, replace(given, score=None)))
    assert min(loose.values()) > max(usual.values())
    assert {(truth.dtype.kind, truth.shape, said.shape) for truth, said in seen} == {("b", (30, 1), (30, 1))}
    assert {truth.tobytes() for truth, _ in seen} == {labels[60:, k].tobytes() for k in (0, 1)}


def test_a_phase_that_began_by_its_loss_goes_on_by_it() -> None:
    """As one that an earlier version paused, which did not go by this metric."""
    progress = Progress(total=3, epoch=1, best_loss=0.5, best_epoch=1)
    assert [progress.end_epoch(0.6, None, -0.9), progress.end_epoch(0.4, None, -0.1)] == [False, True]
