"""Several labels end to end: heads as scikit-learn has them, thresholds of validation images, what is stored, and mistakes in a
sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier

from tests.tasks.pairs import pairs
from tests.tools.toy import known, temporary_cache
from tl_core.data.resizing import SquarePixels
from tl_core.errors import Paused, SettingError
from tl_core.events import Epoch, Event, Step
from tl_core.features.inputs import EncodedInputs
from tl_core.heads import LogisticRegression as Logistic
from tl_core.heads import OneVsRest, Problem
from tl_core.notes import NoteKind
from tl_core.phases.phase import Learning
from tl_core.recipe import Recipe
from tl_core.result import Outcome, Result
from tl_core.runs import artifacts
from tl_core.spec import RunSpec
from tl_core.studies._lr_sweep import sweep
from tl_core.tasks.multi_label import LabelOutputs, MultiLabel
from tl_core.testing._toy import SIZE
from tl_core.training.checkpoints import Checkpoints
from tl_core.training.evaluation import outcome_of
from tl_core.training.run import Training
from tl_core.training.train import set_up, train

SEVERAL = {"task": "multi_label", "dataset": "csv_manifest", "image_size": SIZE}
PROBE = {"strategy": "linear_probe", "strategy.normalise": False, "strategy.strength": 5.0}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pairs(tmp_path_factory.mktemp("pairs"), 6)


@pytest.fixture
def backbone() -> Iterator[str]:
    with known() as name:
        yield name


def spec_of(table: Path, **settings: Any) -> RunSpec:
    return RunSpec().with_settings(SEVERAL | {"dataset.path": str(table)} | settings)


def finished(spec: RunSpec) -> tuple[Training, Outcome]:
    run = set_up(Recipe.of(spec), lambda event: None, cache=temporary_cache())
    for phase in run.remaining_phases():
        run.train_phase(phase)
    return run, outcome_of(run)


def test_the_probe_is_scikit_learns_on_the_same_features(table: Path, backbone: str) -> None:
    run, outcome = finished(spec_of(table, backbone=backbone, **PROBE))
    features = [run.inputs.inputs_for(run.cuts.phases[0], 0).train, run.inputs.test(run.model)[1]]
    train_features, test_features = (inputs.batch(np.arange(len(inputs))).astype(np.float64) for inputs in features)
    theirs = OneVsRestClassifier(LogisticRegression(C=5.0, tol=1e-10, max_iter=10_000)).fit(
        train_features, run.data.train.labels.astype(int)
    )
    found, true = theirs.predict_proba(test_features), run.data.test.labels
    np.testing.assert_allclose(outcome.predictions.probabilities, found, atol=1e-5)
    values = {metric.name: metric.value for metric in outcome.result.metrics}
    assert values["mean_average_precision"] == pytest.approx(average_precision_score(true, found, average="macro"), abs=1e-6)
    held_out = run.inputs.inputs_for(run.cuts.phases[0], 0).validation
    said = theirs.predict_proba(held_out.batch(np.arange(len(held_out))))
    decided = np.stack([best_by_f1(run.data.validation.labels[:, k], said[:, k], found[:, k]) for k in range(5)], axis=1)
    assert values["micro_f1"] == pytest.approx(f1_score(true, decided, average="micro"))


def best_by_f1(true: Any, said: Any, test: Any) -> Any:
    """What is predicted of the test images from the score of the validation images on that has the largest F1."""
    f1, threshold = max((f1_score(true, said >= each), each) for each in said)
    equal = [each for each in said if f1_score(true, said >= each) == f1]
    return test >= min(equal, key=lambda each: abs(each - 0.5)) - 1e-6 * threshold


def test_each_label_chooses_its_own_penalty() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(90, 6))
    labels = np.stack([features[:, 0] > 0, features @ rng.normal(size=6) + rng.normal(size=90) > 0], axis=1)
    both = (features[:60], labels[:60]), (features[60:], labels[60:])
    head = OneVsRest(Logistic()).solve(Problem(*both[:1], classes=2, validation=both[1]))
    alone = []
    for k in (0, 1):
        train, held_out = ((given, sets[:, k].astype(int)) for given, sets in both)
        alone.append(Logistic().solve(Problem(train, 2, validation=held_out)))
    for k, each in enumerate(alone):
        np.testing.assert_allclose(expit(head.logits(features))[:, k], each.probabilities(features)[:, 1], atol=1e-12)
    assert set(head.chosen) == {"least C", "largest C"}
    assert head.chosen_by == "validation images"


def test_a_label_that_all_have_or_none_has_is_told_and_harms_nobody() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 3)) + 5
    labels = np.stack([np.ones(40, bool), features[:, 0] > 5, np.zeros(40, bool)], axis=1)
    head = OneVsRest(Logistic(1.0)).solve(Problem((features, labels), 3))
    said = expit(head.logits(features))
    assert said[:, 0].min() > 1 - 1e-9
    assert said[:, 2].max() < 1e-9
    assert [(note.kind, note.numbers) for note in head.remarks] == [(NoteKind.CONSTANT_LABELS, (2,))]


def test_thresholds_are_those_of_the_validation_images() -> None:
    true = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], bool)
    said = np.array([[0.9, 0.9], [0.3, 0.2], [0.2, 0.1], [0.1, 0.1]], np.float32)
    first, second = MultiLabel().thresholds(true, said)
    assert (first.value, first.precision, first.recall, first.n) == (pytest.approx(0.3), 1.0, 1.0, 4)
    assert (second.value, second.precision, second.recall) == (0.5, None, 0.0)


def test_what_is_stored_is_what_was_said(table: Path, backbone: str, tmp_path: Path) -> None:
    run, outcome = finished(spec_of(table, backbone=backbone, strategy="lp_ft", **{"strategy.epochs": 1}))
    artifacts.write_outcome(tmp_path, outcome)
    loaded = keras.saving.load_model(tmp_path / artifacts.MODEL)
    pixels = EncodedInputs(run.data.test, SquarePixels(SIZE)).batch(np.arange(len(run.data.test))).astype(np.float32)
    stored, result = artifacts.read_predictions(tmp_path), artifacts.read_result(tmp_path)
    np.testing.assert_allclose(loaded.predict_on_batch(pixels), stored.probabilities, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(stored.labels, run.data.test.labels)
    assert result == outcome.result
    assert [each.n for each in result.thresholds] == [24] * 5
    np.testing.assert_array_equal(stored.thresholds, [each.value for each in result.thresholds])
    np.testing.assert_array_equal(stored.scores >= 0.5, stored.probabilities >= stored.thresholds)
    for label in range(5):
        order = np.argsort(stored.probabilities[:, label], kind="stable")
        np.testing.assert_array_equal(np.argsort(stored.scores[:, label], kind="stable"), order)
    badness = MultiLabel().badness(stored.labels, stored.probabilities)
    np.testing.assert_allclose(badness[stored.hardest], np.sort(badness)[::-1][: len(stored.hardest)])


def test_a_result_says_nothing_of_an_accuracy(table: Path, backbone: str) -> None:
    events: list[Event] = []
    settings = {"strategy.epochs": 2, "strategy.mixup": 0.2, "strategy.label_smoothing": 0.1}
    result = train(spec_of(table, backbone=backbone, strategy="fine_tuning", **settings), events.append).result
    assert (result.test_correct, result.validation_accuracy, result.train_sizes) == (None, None, ())
    names = ["mean_average_precision", "micro_f1", "label_macro_f1", "subset_accuracy", "hamming_loss"]
    assert [metric.name for metric in result.metrics] == names
    assert all(event.accuracy is None for event in events if isinstance(event, Step | Epoch))
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_the_loss_is_the_sigmoids_cross_entropy_with_smoothing() -> None:
    labels, logits = np.array([[True, False, True]]), np.array([[2.0, -1.0, -3.0]])
    smooth = Learning(label_smoothing=0.2)
    targets = 0.9 * labels + 0.1 * ~labels
    expected = -(targets * np.log(expit(logits)) + (1 - targets) * np.log(expit(-logits))).mean()
    outputs = LabelOutputs(("a", "b", "c"))
    given = outputs.loss(smooth)(outputs.targets(labels, smooth), expit(logits).astype(np.float32))
    assert float(given) == pytest.approx(expected, rel=1e-5)


def test_columns_of_0_and_1_are_the_same_run(table: Path, backbone: str, tmp_path: Path) -> None:
    other = pairs(tmp_path, 6, in_columns=True)
    one, two = (finished(spec_of(each, backbone=backbone, **PROBE))[1] for each in (table, other))
    assert one.result.data_digest == two.result.data_digest
    np.testing.assert_array_equal(one.predictions.probabilities, two.predictions.probabilities)


def test_without_validation_images_a_label_is_predicted_from_a_half_on(table: Path, backbone: str) -> None:
    lines = table.read_text().splitlines()
    other = table.with_name("unvalidated.csv")
    other.write_text("\n".join(line for line in lines if ",validation," not in line))
    settings = {"dataset.validation_share": 0.0}
    outcome = finished(spec_of(other, backbone=backbone, **PROBE, **settings))[1]
    assert outcome.result.thresholds == ()
    assert NoteKind.THRESHOLDS_OF_HALF in [note.kind for note in outcome.result.notes]
    assert outcome.predictions.scores is outcome.predictions.probabilities


def test_a_paused_run_goes_on_to_the_same_numbers(table: Path, tmp_path: Path) -> None:
    spec = spec_of(table, **{"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 2})

    def pause(event: Event) -> None:
        if isinstance(event, Step) and event.step == 3:
            raise Paused

    with pytest.raises(Paused):
        train(spec, pause, Checkpoints(tmp_path))
    resumed = train(spec, lambda event: None, Checkpoints(tmp_path))
    straight = train(spec, lambda event: None)
    np.testing.assert_array_equal(resumed.predictions.probabilities, straight.predictions.probabilities)
    assert resumed.result.thresholds == straight.result.thresholds


def test_learning_rates_are_tried(table: Path, backbone: str) -> None:
    events: list[Event] = []
    assert sweep(spec_of(table, backbone=backbone, strategy="lp_ft"), 3, events.append) == "everything"
    assert np.isfinite([event.loss for event in events if isinstance(event, Step)]).all()


REFUSED = [
    (
        {"strategy": "nearest_class_mean"},
        "class means tells classes apart that exclude each other, and here they do not",
    ),
    ({"strategy": "head2toe"}, "tells classes apart that exclude each other"),
    ({"strategy.balanced": True}, "Classes cannot be balanced where an example has several labels"),
    ({"dataset": "digits"}, "The labels of .* are classes, and the task asks for sets of labels"),
    ({"metric": "balanced_accuracy"}, "Balanced accuracy says nothing of sets of labels"),
]


@pytest.mark.parametrize(("settings", "said"), REFUSED)
def test_what_makes_no_sense_is_refused_before_it_is_queued(settings: dict[str, Any], said: str, table: Path) -> None:
    own = {"task": "multi_label", **settings}
    spec = RunSpec().with_settings(own) if "dataset" in settings else spec_of(table, image_size=32, **settings)
    with pytest.raises(SettingError, match=said):
        Recipe.of(spec).require_runnable()
