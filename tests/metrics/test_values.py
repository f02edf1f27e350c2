"""The values of metrics are scikit-learn's, and so are those of examples with weights, by which intervals are found."""

import warnings
from collections.abc import Callable
from math import isnan

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as theirs

from tests.metrics.examples import KINDS, examples
from tl_core import errors
from tl_core.data.label_kinds import CLASSES
from tl_core.metrics import Labels, Probabilities, default_metrics, measure, metrics
from tl_core.metrics._curves import PrecisionRecall, average_precision, recall_at_precision
from tl_core.metrics._intervals import stratified_weights
from tl_core.metrics.cost import Cost
from tl_core.metrics.macro_f1 import weighted_f1
from tl_core.metrics.recall_at_precision import RecallAtPrecision
from tl_core.metrics.top_5 import Top5
from tl_core.result import Better

Score = Callable[[NDArray[np.bool_], NDArray[np.float32]], float]


def of_classes(labels: Labels, probabilities: Probabilities, score: Score) -> float:
    """The mean over the classes with an example and, for the ROC curve, one without."""
    present = [label for label in range(probabilities.shape[1]) if (labels == label).any()]
    return float(np.mean([score(labels == label, probabilities[:, label]) for label in present]))


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    exact = probabilities.astype(float) / probabilities.astype(float).sum(axis=1, keepdims=True)
    return float(-np.log(np.maximum(exact[np.arange(len(labels)), labels], np.finfo(float).eps)).mean())


def best_recall(positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    return max(
        (scores[positive] >= threshold).mean()
        for threshold in [*scores, np.inf]
        if threshold == np.inf or positive[scores >= threshold].mean() >= 0.9
    )


def calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    confidence, right = probabilities.max(axis=1).astype(float), probabilities.argmax(axis=1) == labels
    total = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15 + 1e-12)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    return total / len(labels)


EXPECTED: dict[str, Callable[[Labels, Probabilities], float]] = {
    "accuracy": lambda labels, given: theirs.accuracy_score(labels, given.argmax(axis=1)),
    "balanced_accuracy": lambda labels, given: theirs.balanced_accuracy_score(labels, given.argmax(axis=1)),
    "macro_f1": lambda labels, given: theirs.f1_score(labels, given.argmax(axis=1), average="macro"),
    "top_5": lambda labels, given: (
        (np.argsort(given, axis=1, kind="stable")[:, -5:] == labels[:, np.newaxis]).sum() / len(labels)
    ),
    "log_loss": log_loss,
    "roc_auc": lambda labels, given: of_classes(labels, given, theirs.roc_auc_score),
    "average_precision": lambda labels, given: of_classes(labels, given, theirs.average_precision_score),
    "cohen_kappa": lambda labels, given: theirs.cohen_kappa_score(labels, given.argmax(axis=1)),
    "recall_at_precision": lambda labels, given: of_classes(labels, given, best_recall),
    "cost": lambda labels, given: float((given.argmax(axis=1) != labels).mean()),
    "ece": calibration_error,
}
"""What scikit-learn gives, or where it has nothing a direct count."""
MEANINGLESS = {"top_5": {"plain", "ties", "certainty", "two classes", "one class of three"}}
"""Where a metric says nothing, though a number could be given."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name, part in metrics.parts().items() if part.label_kind == CLASSES])
def test_a_value_is_that_of_scikit_learn(name: str, kind: str) -> None:
    labels, probabilities = KINDS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, of classes that are lacking
        expected = EXPECTED[name](labels, probabilities)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = metrics.part(name)().value(labels, probabilities)
    if kind in MEANINGLESS.get(name, ()):
        assert isnan(value)
    else:
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_values_with_weights_are_those_of_scikit_learn(kind: str) -> None:
    labels, probabilities = KINDS[kind]
    predicted = probabilities.argmax(axis=1)
    (weights,) = stratified_weights(labels, 4)
    f1 = weighted_f1(labels, predicted, weights)
    for column, given in enumerate(weights.T):
        drawn = np.repeat(np.arange(len(labels)), given)
        expected = theirs.f1_score(labels[drawn], predicted[drawn], average="macro")
        np.testing.assert_allclose(f1[column], expected, rtol=1e-12)
    for label in np.unique(labels):
        positive, scores = labels == label, probabilities[:, label]
        counts = PrecisionRecall(positive, scores).counts(weights)
        for column, given in enumerate(weights.T):
            expected = theirs.average_precision_score(positive, scores, sample_weight=given)
            np.testing.assert_allclose(average_precision(*counts)[column], expected, rtol=1e-12)
            precision, recall, _ = theirs.precision_recall_curve(positive, scores, sample_weight=given)
            np.testing.assert_allclose(recall_at_precision(*counts, 0.7)[column], recall[precision >= 0.7].max(), rtol=1e-12)


def test_what_is_not_defined_is_nan() -> None:
    alone = np.zeros(4, np.int64), np.tile(np.array([0.8, 0.1, 0.1], np.float32), (4, 1))
    assert isnan(metrics.part("roc_auc")().value(*alone))
    assert isnan(metrics.part("cohen_kappa")().value(*alone))
    assert isnan(RecallAtPrecision(class_id=2).value(*alone))
    assert RecallAtPrecision(class_id=2).interval(*alone) is None


def test_k_of_the_most_probable_classes_may_be_set() -> None:
    labels, probabilities = examples(classes=4)
    assert Top5(k=2).value(labels, probabilities) == theirs.top_k_accuracy_score(labels, probabilities, k=2)
    assert Top5(k=1).value(labels, probabilities) == metrics.part("accuracy")().value(labels, probabilities)


def test_recall_at_a_precision_of_the_class_that_matters() -> None:
    labels, probabilities = examples()
    metric = RecallAtPrecision(class_id=3, precision=0.9)
    value = metric.value(labels, probabilities)
    assert value == best_recall(labels == 3, probabilities[:, 3])
    interval = metric.interval(labels, probabilities)
    assert interval
    assert interval.low < value < interval.high


def test_costs_of_ones_own_are_what_mistakes_cost() -> None:
    labels, given = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]], np.float32)
    assert Cost(costs=((0, 1), (1, 0))).value(labels, given) == (1 + 1) / 4
    assert Cost(costs=((-2, 1), (1, 0))).value(labels, given) == (-2 + 1 + 1) / 4


def test_what_is_dear_to_miss_is_taken_sooner() -> None:
    """To miss class 1 costs five times a false alarm, so it is taken from a probability of 1/6 on (Elkan 2001)."""
    given = np.array([[0.9, 0.1], [0.84, 0.16], [0.82, 0.18], [0.1, 0.9]], np.float32)
    cost = Cost(costs=((0, 1), (5, 0)))
    assert cost.decisions(given).tolist() == [0, 0, 1, 1]
    assert cost.value(np.array([0, 0, 1, 1]), given) == 0


def test_a_threshold_finds_the_most_at_its_precision() -> None:
    labels, probabilities = examples()
    metric = RecallAtPrecision(class_id=3, precision=0.7)
    (found,) = metric.thresholds(labels, probabilities)
    assert found.value is not None
    taken = probabilities[:, 3] >= found.value
    assert (labels[taken] == 3).mean() == found.precision
    assert (labels[taken] == 3).mean() >= 0.7
    assert taken[labels == 3].mean() == found.recall == metric.value(labels, probabilities)
    (never,) = RecallAtPrecision(class_id=0, precision=1.0).thresholds(
        labels, np.roll(np.eye(5, dtype=np.float32)[labels], 1, axis=1)
    )
    assert (never.value, never.recall) == (None, 0.0)


def test_costs_of_other_classes_are_refused() -> None:
    labels, given = examples(classes=3)
    cost = Cost(costs=((0, 1), (5, 0)))
    assert not cost.suits(3)
    with pytest.raises(errors.SettingError, match="The data have 3 classes, and the costs are of 2"):
        cost.value(labels, given)
    with pytest.raises(ValueError, match="a row has more or fewer numbers than there are rows"):
        Cost(costs=((0, 1), (5,)))


def test_each_run_is_measured_by_what_says_something_of_its_classes() -> None:
    always = {"accuracy", "balanced_accuracy", "macro_f1", "log_loss", "roc_auc", "average_precision", "ece", "cohen_kappa"}
    assert {metric.name for metric in default_metrics(5)} == always
    assert {metric.name for metric in default_metrics(6)} == always | {"top_5"}
    found = {value.name: value for value in measure(*examples(classes=6))}
    assert list(found) == [metric.name for metric in default_metrics(6)]
    assert {value.n for value in found.values()} == {300}
    assert {name for name, value in found.items() if value.better is Better.LOWER} == {"log_loss", "ece"}
