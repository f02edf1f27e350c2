"""A finished run that predicts a number, tested on other data: its metrics, the difference to its own test, and what differs."""

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import mean_absolute_error

import tl_core as tl
from tests.helpers import CommandLine, keep_outcome
from tests.tasks.crops import crops
from tests.tools.evaluating import evaluation
from tl_core.errors import TransferError
from tl_core.metrics import Metric, Sample, metrics
from tl_core.metrics._of_numbers import NumberMetric
from tl_core.notes import NoteKind, sentences
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, evaluations
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.evaluation import EvaluationStudy
from tl_core.training.train import train

SIZE = 16
SETTINGS = {
    **{"task": "regression", "dataset": "csv_manifest", "dataset.label_column": "side", "image_size": SIZE},
    **{"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 1},
}
K = NoteKind
OF_NUMBERS = [name for name, part in metrics.parts().items() if issubclass(part, NumberMetric)]


def spec_of(table: Path) -> RunSpec:
    return Recipe.of(RunSpec().with_settings(SETTINGS | {"dataset.path": str(table)})).spec()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The table that a small run has learned from, and the folder of what it left."""
    table, left = crops(tmp_path_factory.mktemp("own"), 60), tmp_path_factory.mktemp("run")
    artifacts.write_outcome(left, train(spec_of(table), lambda event: None))
    return table, left


@pytest.fixture
def run(trained: tuple[Path, Path], home: Path) -> str:
    """The id of the run, in a store of the test's own."""
    table, left = trained
    keep_outcome(Store(), "a", spec_of(table), left)
    return "a"


def other(folder: Path, numbers: NDArray[np.float64], column: str = "side", *, dark: int = 1) -> Path:
    """A table of images of noise with these numbers, their pixels divided by `dark`."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for index in range(len(numbers)):
        Image.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8) // dark).save(folder / f"{index}.png")
    rows = [f"{index}.png,{number}" for index, number in enumerate(numbers)]
    (folder / "other.csv").write_text("\n".join([f"path,{column}", *rows]))
    return folder / "other.csv"


def on(run: str, table: Path, **settings: str) -> Recipe:
    given = {"dataset": "csv_manifest", "dataset.path": str(table), "dataset.label_column": "side"}
    return Recipe.of(Store().run(run).spec.with_settings(given | {f"dataset.{name}": text for name, text in settings.items()}))


def test_the_numbers_are_those_of_the_model(run: str, tmp_path: Path) -> None:
    numbers = np.linspace(40, 250, 24)
    table = other(tmp_path / "new", numbers, "width")
    found = evaluation(run, on(run, table, label_column="width"))

    pixels = np.stack([np.asarray(Image.open(tmp_path / "new" / f"{index}.png")) for index in range(24)]).astype(np.float32)
    said = keras.ops.convert_to_numpy(tl.load_run(run).model(pixels, training=False))[:, 0]
    mae = next(each for each in found.metrics if each.name == "mae")
    assert mae.value == pytest.approx(mean_absolute_error(numbers, said), rel=1e-5)
    assert [each.name for each in found.metrics] == [each.name for each in found.own_metrics] == OF_NUMBERS
    assert found.own_metrics == tl.load_run(run).result.metrics
    by = {each.name: each for each in found.differences}
    assert by["mae"].value == pytest.approx(mae.value - found.own_metrics[0].value)
    assert all(each.low is not None and each.high is not None and each.low <= each.value <= each.high for each in by.values())
    assert (found.images, found.correct, found.own_correct, found.classes) == (24, None, None, ())
    assert np.isnan(found.accuracy)
    told = found.told(metrics.part("mae")(), "images")
    assert told.startswith("Mean absolute error ")
    assert " on 24 images, " in told
    assert "its own test, " in told
    assert K.NUMBER_OF_ANOTHER_NAME in [note.kind for note in found.notes]
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    assert evaluations.read(Store().folder(run)) == (found,)


def test_what_the_run_has_learned_from_does_not_count(run: str, trained: tuple[Path, Path]) -> None:
    """Its own test alone is left, which says the same once more."""
    own, found = tl.load_run(run).result, evaluation(run, on(run, trained[0]))
    told = {note.kind: note.numbers for note in found.notes}
    assert found.images == own.test_images == 15
    assert told[K.ALREADY_TRAINED_ON] == (45, 60)
    assert [each.value for each in found.metrics] == pytest.approx([each.value for each in own.metrics], rel=1e-4)
    assert not {K.OTHER_NUMBERS, K.NUMBERS_NEVER_LEARNED, K.SHIFT_CLEAR} & set(told)


def test_what_differs_is_told(run: str, tmp_path: Path) -> None:
    found = evaluation(run, on(run, other(tmp_path / "dark", np.linspace(240, 300, 30), dark=4)))
    told = {note.kind: note.numbers for note in found.notes}
    here, there = told[K.OTHER_NUMBERS][:3], told[K.OTHER_NUMBERS][3:]
    assert here == pytest.approx((243, 270, 297), rel=1e-3)
    assert there[1] < 200
    outside, whole, low, high = told[K.NUMBERS_NEVER_LEARNED]
    assert (whole, high > low >= 32) == (30, True)
    assert outside == int((np.linspace(240, 300, 30) > high).sum()) > 10
    assert K.OTHER_BRIGHTNESS in told
    assert "median 270" in " ".join(sentences(found.notes))


def refused(run: str, recipe: Recipe) -> str:
    with pytest.raises(TransferError) as raised:
        EvaluationStudy(run_id=run).require_possible(recipe)
    return str(raised.value)


def test_data_without_numbers_are_refused_in_a_sentence(run: str, trained: tuple[Path, Path]) -> None:
    assert "is to be predicted as a number" in refused(run, on(run, trained[0], label_column="photograph"))
    digits = Recipe.of(Store().run(run).spec.with_settings({"dataset": "digits"}))
    assert "The labels of Digits, 8 x 8 are classes, and the task asks for a number." in refused(run, digits)
    line = CommandLine(Store().home)
    done = line.call("evaluate", run, "--dataset", "csv_manifest", "--set", f"dataset.path={trained[0]}")
    assert (done.code, "No column holds the labels" in done.err.replace("\n", " ")) == (2, True)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_a_difference_of_samples_is_that_of_two_independent_bootstraps(name: str) -> None:
    """Its width is what the widths of both alone add up to, as variances do, and the order only turns its sign."""
    rng, metric = np.random.default_rng(3), metrics.part(name)()
    sides = [sample_of(metric, rng, n, noise) for n, noise in ((400, 0.6), (300, 1.0))]
    interval, turned = metric.difference_of_samples(*sides), metric.difference_of_samples(*sides[::-1])
    assert interval
    assert turned
    value = sides[0].found.value - sides[1].found.value
    assert interval.low < value < interval.high
    one, other = ((side.found.high or 0.0) - (side.found.low or 0.0) for side in sides)
    both = float(np.hypot(one, other))
    assert interval.high - interval.low == pytest.approx(both, rel=0.15)
    assert (-turned.high, -turned.low) == pytest.approx((interval.low, interval.high), abs=0.2 * both)


def sample_of(metric: Metric, rng: np.random.Generator, n: int, noise: float) -> Sample:
    labels = rng.normal(size=n)
    said = labels + noise * rng.normal(size=n)
    return Sample(labels, said, metric.measure(labels, said))


def test_a_difference_without_a_value_has_no_interval() -> None:
    metric, rng = metrics.part("r2")(), np.random.default_rng(0)
    constant = Sample(np.ones(9), rng.normal(size=9), metric.measure(np.ones(9), rng.normal(size=9)))
    assert metric.difference_of_samples(constant, sample_of(metric, rng, 9, 1.0)) is None


@pytest.mark.process
def test_the_command_tests_a_run(run: str, tmp_path: Path) -> None:
    table, line = other(tmp_path / "new", np.linspace(40, 250, 12)), CommandLine(Store().home)
    done = line.run(
        "evaluate", run, "--dataset", "csv_manifest", "--set", f"dataset.path={table}", "--set", "dataset.label_column=side"
    )
    assert done.code == 0, done.err
    assert "other.csv: Mean absolute error " in done.out
    assert " on 12 images, " in done.out
