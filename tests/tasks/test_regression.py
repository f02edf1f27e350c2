"""Regression end to end: a number in a column, heads as scikit-learn has them, what is stored, and mistakes in a sentence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from tests.tasks.crops import crops
from tests.tools.toy import known, temporary_cache
from tl_core.data.label_kinds import NUMBERS
from tl_core.data.resizing import SquarePixels
from tl_core.errors import DataError, Paused, SettingError, TransferError
from tl_core.events import Epoch, Event, Step
from tl_core.features.inputs import EncodedInputs
from tl_core.heads.ridge_path import PENALTIES
from tl_core.metrics import measure
from tl_core.notes import NoteKind
from tl_core.recipe import Recipe
from tl_core.result import Outcome, Result
from tl_core.runs import artifacts
from tl_core.spec import RunSpec
from tl_core.studies._lr_sweep import sweep
from tl_core.tasks.regression import Regression
from tl_core.testing._toy import SIZE
from tl_core.training.checkpoints import Checkpoints
from tl_core.training.evaluation import outcome_of
from tl_core.training.run import Training
from tl_core.training.train import set_up, train

REGRESSION = {"task": "regression", "dataset": "csv_manifest", "dataset.label_column": "side", "image_size": SIZE}
PROBE = {"strategy": "linear_probe", "strategy.normalise": False}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crops(tmp_path_factory.mktemp("crops"), 120)


@pytest.fixture
def backbone() -> Iterator[str]:
    with known() as name:
        yield name


def spec_of(table: Path, **settings: Any) -> RunSpec:
    return RunSpec().with_settings(REGRESSION | {"dataset.path": str(table)} | settings)


def finished(spec: RunSpec) -> tuple[Training, Outcome]:
    run = set_up(Recipe.of(spec), lambda event: None, cache=temporary_cache())
    for phase in run.remaining_phases():
        run.train_phase(phase)
    return run, outcome_of(run)


def test_the_ridge_is_scikit_learns_on_the_same_features(table: Path, backbone: str) -> None:
    """The penalty is the one that RidgeCV chooses by leaving each image out, and so are the predictions."""
    run, outcome = finished(spec_of(table, backbone=backbone, **PROBE))
    features = [run.inputs.inputs_for(run.cuts.phases[0], 0).train, run.inputs.test(run.model)[1]]
    train_features, test_features = (inputs.batch(np.arange(len(inputs))).astype(np.float64) for inputs in features)
    offsets = train_features - train_features.mean(axis=0)
    unit = (offsets**2).sum(axis=1).mean()
    theirs = RidgeCV([penalty * unit for penalty in PENALTIES]).fit(train_features, run.data.train.labels)
    (phase,) = outcome.result.phases
    assert phase.chosen["penalty"] == pytest.approx(theirs.alpha_, rel=1e-9)
    spread = run.data.train.labels.std()
    np.testing.assert_allclose(outcome.predictions.probabilities / spread, theirs.predict(test_features) / spread, atol=1e-5)
    assert outcome.result.metrics[2].name == "r2"
    assert outcome.result.metrics[2].value == pytest.approx(theirs.score(test_features, run.data.test.labels), abs=1e-5)


def test_a_strength_that_is_given_is_scikit_learns_alpha(table: Path, backbone: str) -> None:
    run, _ = finished(spec_of(table, backbone=backbone, **PROBE, **{"strategy.strength": 0.5}))
    features = run.inputs.inputs_for(run.cuts.phases[0], 0).train.batch(np.arange(len(run.data.train))).astype(np.float64)
    theirs = Ridge(alpha=2.0).fit(features, run.data.train.labels)
    kernel = keras.ops.convert_to_numpy(run.model.get_layer("head").kernel)[:, 0] * run.data.train.labels.std()
    np.testing.assert_allclose(kernel, theirs.coef_, rtol=1e-4, atol=1e-6 * np.abs(theirs.coef_).max())


def test_the_stored_model_gives_the_numbers_in_their_unit(table: Path, backbone: str, tmp_path: Path) -> None:
    run, outcome = finished(spec_of(table, backbone=backbone, strategy="lp_ft", **{"strategy.epochs": 1}))
    artifacts.write_outcome(tmp_path, outcome)
    loaded = keras.saving.load_model(tmp_path / artifacts.MODEL)
    pixels = EncodedInputs(run.data.test, SquarePixels(SIZE)).batch(np.arange(len(run.data.test))).astype(np.float32)
    stored = artifacts.read_predictions(tmp_path)
    np.testing.assert_allclose(loaded.predict_on_batch(pixels)[:, 0], stored.probabilities, rtol=1e-5)
    np.testing.assert_array_equal(stored.labels, run.data.test.labels)
    assert 32 <= stored.labels.min() <= stored.labels.max() <= 256
    errors = np.abs(stored.labels - stored.probabilities)
    np.testing.assert_allclose(errors[stored.hardest], np.sort(errors)[::-1][: len(stored.hardest)])
    assert artifacts.read_result(tmp_path) == outcome.result


def test_a_result_says_what_it_is_about_and_nothing_of_an_accuracy(table: Path, backbone: str) -> None:
    events: list[Event] = []
    spec = spec_of(table, backbone=backbone, strategy="fine_tuning", **{"strategy.epochs": 2, "strategy.augmentation": "flip"})
    result = train(spec, events.append).result
    assert result.class_names == ("side",)
    assert (result.test_correct, result.validation_accuracy) == (None, None)
    assert np.isnan(result.accuracy)
    assert [metric.name for metric in result.metrics] == ["mae", "rmse", "r2", "spearman"]
    assert all(event.accuracy is None for event in events if isinstance(event, Step | Epoch))
    assert all(event.validation_metric is not None for event in events if isinstance(event, Epoch))  # of the primary one,
    (ended,) = [phase.ended for phase in result.phases]
    assert ended
    assert ended.validation_metric is None  # which chooses nothing unless somebody names it
    assert not Recipe.of(spec).metric_chooses
    assert ended.validation_loss is not None
    assert (ended.accuracy, ended.validation_accuracy) == (None, None)
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_training_does_not_depend_on_the_unit_of_the_labels(table: Path, tmp_path: Path) -> None:
    """In thousandths and from another zero the same is learned, to rounding."""
    first, *lines = table.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    other = table.with_name("others.csv")
    other.write_text("\n".join([first, *(f"{path},{1000 * float(side) + 5e4},{name}" for path, side, name in cells)]))
    settings = {"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 2}
    one, two = (train(spec_of(each, **settings), lambda event: None).predictions.probabilities for each in (table, other))
    np.testing.assert_allclose((two - 5e4) / 1000, one, rtol=1e-4)


def test_a_paused_run_goes_on_to_the_same_numbers(table: Path, tmp_path: Path) -> None:
    spec = spec_of(table, **{"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 3})

    def pause(event: Event) -> None:
        if isinstance(event, Step) and event.step == 4:
            raise Paused

    with pytest.raises(Paused):
        train(spec, pause, Checkpoints(tmp_path))
    resumed = train(spec, lambda event: None, Checkpoints(tmp_path))
    assert resumed.result.resumed == 1
    straight = train(spec, lambda event: None)
    np.testing.assert_array_equal(resumed.predictions.probabilities, straight.predictions.probabilities)


def test_learning_rates_are_tried_on_numbers(table: Path, backbone: str) -> None:
    """Of a head that is computed first from one half of the images, on the other half."""
    events: list[Event] = []
    assert sweep(spec_of(table, backbone=backbone, strategy="lp_ft"), 4, events.append) == "everything"
    losses = [event.loss for event in events if isinstance(event, Step)]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert losses[0] > 0


def test_splits_keep_the_spread_of_the_numbers(table: Path) -> None:
    data = Recipe.of(spec_of(table)).dataset.load(0)
    assert data.train.labels.dtype == np.float64
    assert [len(split) for split in data.splits.values()] == [82, 8, 30]
    for share in (0.25, 0.5, 0.75):
        at = np.quantile(data.train.labels, share)
        assert (data.test.labels <= at).mean() == pytest.approx(share, abs=0.1)
    again = Recipe.of(spec_of(table, seed=1)).dataset.load(1)
    assert again.test.digest() == data.test.digest()


def test_whole_groups_are_held_out(table: Path) -> None:
    data = Recipe.of(spec_of(table, **{"dataset.group_column": "photograph"})).dataset.load(0)
    train_groups, test_groups = (set(split.groups or ()) for split in (data.train, data.test))
    assert test_groups
    assert not train_groups & test_groups


def test_some_labels_are_nested_draws_from_all(table: Path) -> None:
    few, more = (Recipe.of(spec_of(table, **{"dataset.labels_per_class": n})).dataset.load(3).train for n in (5, 20))
    assert (len(few), len(more)) == (5, 20)
    assert set(few.ids) <= set(more.ids)


STRATEGIES = [
    ({"strategy": "nearest_class_mean"}, "A head by class means tells classes apart, and cannot predict a number."),
    ({"strategy": "head2toe"}, "tells classes apart, and cannot predict a number."),
    ({"strategy.balanced": True}, "Classes cannot be balanced where a number is predicted: there are none."),
    ({"strategy": "fine_tuning", "strategy.mixup": 0.2}, "Label smoothing, mixup and CutMix share a label among classes"),
    ({"dataset": "digits"}, "The labels of .* are classes, and the task asks for a number"),
]


@pytest.mark.parametrize(("settings", "said"), STRATEGIES)
def test_what_makes_no_sense_is_refused_before_it_is_queued(settings: dict[str, Any], said: str, table: Path) -> None:
    own = {"task": "regression", **settings}
    spec = RunSpec().with_settings(own) if "dataset" in settings else spec_of(table, image_size=32, **settings)
    with pytest.raises(SettingError, match=said):
        Recipe.of(spec).require_runnable()


def rows(folder: Path, numbers: list[str]) -> Path:
    """A table of so many crops, with these in place of their numbers."""
    table = crops(folder, len(numbers))
    lines = [f"{index}.png,{number},a" for index, number in enumerate(numbers)]
    table.write_text("\n".join(["path,side,photograph", *lines]))
    return table


WRONG = [
    (["3"] * 12, "All training examples have the same side, so there is nothing to predict."),
    ([*map(str, range(11)), "large"], "is to be predicted as a number, and 1 of its 12 values are none.*Received: large"),
    ([*map(str, range(11)), "inf"], "Received: inf"),
    ([*map(str, range(11)), "1,5"], "Received: "),
    (["1", "2", "3"], "To predict a number takes at least 10 examples"),
]


@pytest.mark.parametrize(("numbers", "said"), WRONG)
def test_a_column_without_numbers_is_a_sentence(numbers: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        Recipe.of(spec_of(rows(tmp_path, [f'"{number}"' for number in numbers]), image_size=32)).require_runnable()


def test_a_column_of_words_is_not_taken_for_numbers(table: Path) -> None:
    """A label column that is not named is found by its name, and must hold numbers."""
    named = table.with_name("named.csv")
    named.write_text(table.read_text().replace("path,side,photograph", "path,target,label"))
    data = Recipe.of(spec_of(named, **{"dataset.label_column": None})).dataset.load(0)
    assert data.class_names == ("target",)
    assert [note.kind for note in data.notes] == ["column_without_numbers"]


def test_a_spec_says_its_task_only_where_it_is_another(table: Path) -> None:
    assert "task" not in Recipe.of(RunSpec()).overrides()
    recipe = Recipe.of(spec_of(table))
    assert recipe.overrides()["task"] == "regression"
    assert Recipe.of(RunSpec().with_settings(recipe.overrides())) == recipe
    assert RunSpec.parse({"dataset": "digits"}).task.name == "classification"
    assert replace(recipe, seed=1).dataset.label_kind == recipe.task.label_kind
    with pytest.raises(TransferError, match="Did you mean regression"):
        Recipe.of(RunSpec().with_settings({"task": "regresion"}))


def test_a_run_that_predicts_no_more_than_the_mean_says_so(table: Path, backbone: str) -> None:
    """Of numbers that have nothing to do with the images."""
    rng, noise = np.random.default_rng(0), table.with_name("noise.csv")
    noise.write_text("\n".join(["path,side", *(f"{number}.png,{rng.normal():.3f}" for number in range(120))]))
    _, outcome = finished(spec_of(noise, backbone=backbone, **PROBE))
    (note,) = (note for note in outcome.result.notes if note.kind is NoteKind.NO_BETTER_THAN_MEAN)
    value, low, high = note.numbers
    assert low <= 0
    assert low <= value <= high
    assert value == pytest.approx(outcome.result.metrics[2].value, abs=1e-4)


@pytest.mark.parametrize(("noise", "count"), [(0.1, 0), (3.0, 1)])
def test_only_an_interval_above_nothing_says_nothing(noise: float, count: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=60)
    said = labels + noise * rng.normal(size=60)
    assert len(list(Regression().remarks(measure(labels, said, kind=NUMBERS)))) == count
    assert not list(Regression().remarks(measure(labels[:1], said[:1], kind=NUMBERS)))
