"""The metric that the user names decides: epochs, trials and penalties are chosen by it on validation images, thresholds are
fitted to them, and the test chooses nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.tools.interrupting import Attempt, Moment, at_step, in_attempts, require_same_outcome
from tests.tools.toy import FEW, SIZE, known
from tl_core.errors import SettingError
from tl_core.heads import logistic
from tl_core.metrics.cost import Cost
from tl_core.metrics.recall_at_precision import RecallAtPrecision
from tl_core.notes import NoteKind
from tl_core.result import Outcome
from tl_core.spec import RunSpec
from tl_core.training.loop import Progress
from tl_core.training.train import train

COSTS = [[float(5 * (true != taken)) if true else float(taken > 0) for taken in range(16)] for true in range(16)]
"""To miss any class but the first costs five times as much."""


@pytest.fixture(scope="module")
def probed() -> Iterator[RunSpec]:
    """Probe, then fine-tune, on a toy network."""
    with known() as backbone:
        few = FEW | {"dataset.labels_per_class": 4, "dataset.validation_per_class": 3}
        settings = few | {"backbone": backbone, "image_size": SIZE, "strategy": "lp_ft", "strategy.epochs": 3}
        yield RunSpec().with_settings(settings | {"strategy.schedule": "constant", "strategy.learning_rate": 3e-3})


def decided_by(spec: RunSpec, metric: str, **settings: Any) -> Outcome:
    return train(spec.with_settings({"metric": metric} | {f"metric.{k}": v for k, v in settings.items()}), Attempt())


def test_the_best_epoch_is_the_best_by_the_score() -> None:
    progress = Progress(total=3)
    told = [(1.0, 0.5, -0.7), (0.5, 0.6, -0.6), (2.0, 0.4, -0.9), (0.1, 0.9, float("inf"))]
    assert [progress.end_epoch(*each) for each in told] == [True, False, True, False]
    assert (progress.best_epoch, progress.best_score, progress.best_loss, progress.best_accuracy) == (3, -0.9, 2.0, 0.4)
    progress.end_phase()
    assert progress.best_score is None


def test_nothing_changes_where_nobody_names_a_metric(probed: RunSpec) -> None:
    """What decides by default is written out in no stored spec of before, and computes the same."""
    stored = probed.model_dump(mode="json")
    del stored["metric"]
    assert RunSpec.parse(stored) == probed
    outcome = train(probed, Attempt())
    assert outcome.result.phases[-1].ended is not None
    assert outcome.result.phases[-1].ended.validation_metric is None
    require_same_outcome(outcome, decided_by(probed, "accuracy"))


def test_the_model_that_is_kept_is_the_best_on_the_validation_images(probed: RunSpec) -> None:
    result = decided_by(probed, "balanced_accuracy").result
    values = [phase.ended.validation_metric for phase in result.phases if phase.ended]
    assert all(value is not None and 0 <= value <= 1 for value in values)
    assert values[-1] >= values[0]  # type: ignore[operator]  # the probe is a candidate, too
    assert sum(each.name == "balanced_accuracy" for each in result.metrics) == 1


def test_an_interruption_changes_nothing_of_it(probed: RunSpec, tmp_path: Any) -> None:
    spec = probed.with_settings({"metric": "macro_f1", "strategy.patience": 2})
    whole = train(spec, Attempt())
    moments: list[Moment] = [at_step(4)]
    _, again = in_attempts(spec, tmp_path, moments)
    require_same_outcome(again, whole)


def test_costs_decide_and_stand_in_the_result(probed: RunSpec) -> None:
    outcome = decided_by(probed, "cost", costs=COSTS)
    (found,) = (each for each in outcome.result.metrics if each.name == "cost")
    assert found.settings["costs"] == COSTS
    cost = Cost.model_validate({"costs": COSTS})
    assert found.value == cost.value(outcome.predictions.labels, outcome.predictions.probabilities)
    with pytest.raises(SettingError, match="The data have 16 classes, and the costs are of 2"):
        decided_by(probed, "cost", costs=[[0, 1], [1, 0]])


def test_thresholds_are_fitted_to_validation_images(probed: RunSpec) -> None:
    outcome = decided_by(probed, "recall_at_precision", class_id=3, precision=0.5)
    (threshold,) = outcome.result.thresholds
    assert (threshold.class_id, threshold.n) == (3, 48)
    said = outcome.predictions
    best_for_the_test = RecallAtPrecision(class_id=3, precision=0.5).thresholds(said.labels, said.probabilities)
    assert threshold.n != best_for_the_test[0].n
    with pytest.raises(SettingError, match="says nothing of data with 16 classes"):
        decided_by(probed, "recall_at_precision", class_id=16)


def test_without_validation_images_it_is_told_that_no_threshold_was_fitted(probed: RunSpec) -> None:
    few = probed.with_settings({"dataset.validation_per_class": 0, "strategy": "nearest_class_mean"})
    result = decided_by(few, "recall_at_precision").result
    assert result.thresholds == ()
    assert NoteKind.NO_THRESHOLDS in [note.kind for note in result.notes]


def test_a_penalty_is_chosen_by_the_score() -> None:
    """One that likes unsure heads gets the stiffest, one that likes sure heads the loosest; equal ones are told apart by loss."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = rng.normal(size=(60, 8)) + 2 * np.eye(8)[labels]

    def strength(score: Any) -> float:
        return logistic(features, labels, 3, score=score).chosen["C"]

    sure = strength(lambda truth, said: -float(said.max(axis=1).mean()))
    unsure = strength(lambda truth, said: float(said.max(axis=1).mean()))
    assert unsure < strength(None) < sure
    assert strength(lambda truth, said: 0.0) == strength(None)
