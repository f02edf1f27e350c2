"""A finished run that predicts several labels, tested on other data: its metrics, with its own thresholds, and what differs."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, f1_score

import tl_core as tl
from tests.helpers import keep_outcome
from tests.tasks.pairs import pairs
from tests.tools.evaluating import evaluation
from tl_core.checks.what_differs import label_shares_differ
from tl_core.errors import DataError
from tl_core.metrics import metrics
from tl_core.notes import NoteKind, sentences
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies.evaluation import EvaluationStudy
from tl_core.training.train import train

SIZE = 16
SETTINGS = {
    **{"task": "multi_label", "dataset": "csv_manifest", "image_size": SIZE},
    **{"backbone": "small_cnn", "backbone.width": 4, "strategy": "from_scratch", "strategy.epochs": 1},
}
K = NoteKind


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, Path]:
    """The spec of a small run, and the folder of what it left."""
    table, left = pairs(tmp_path_factory.mktemp("own"), 3, SIZE), tmp_path_factory.mktemp("run")
    spec = Recipe.of(RunSpec().with_settings(SETTINGS | {"dataset.path": str(table)})).spec()
    artifacts.write_outcome(left, train(spec, lambda event: None))
    return spec, left


@pytest.fixture
def run(trained: tuple[RunSpec, Path], home: Path) -> str:
    """The id of the run, in a store of the test's own."""
    spec, left = trained
    keep_outcome(Store(), "a", spec, left)
    return "a"


def other(folder: Path, labels: list[str]) -> Recipe:
    """What is asked of images of noise with these labels."""
    rng = np.random.default_rng(1)
    for index in range(len(labels)):
        Image.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    rows = [f"{index}.png,{label}" for index, label in enumerate(labels)]
    (folder / "other.csv").write_text("\n".join(["path,labels", *rows]))
    return Recipe.of(Store().run("a").spec.with_settings({"dataset.path": str(folder / "other.csv")}))


def test_the_numbers_are_those_of_the_model_with_the_runs_own_thresholds(run: str, tmp_path: Path) -> None:
    loaded = tl.load_run(run)
    first, second, *others = loaded.result.class_names
    sets = [f"{first.upper()}|{second}", first.upper(), "", second] * 5  # spelled otherwise
    found = evaluation(run, other(tmp_path, sets))

    pixels = np.stack([np.asarray(Image.open(tmp_path / f"{index}.png")) for index in range(20)]).astype(np.float32)
    said = keras.ops.convert_to_numpy(loaded.model(pixels, training=False))[:, :2]
    true = np.array([[1, 1], [1, 0], [0, 0], [0, 1]] * 5)
    values = {each.name: each.value for each in found.metrics}
    assert values["mean_average_precision"] == pytest.approx(average_precision_score(true, said), abs=1e-5)
    decided = said >= loaded.predictions.thresholds[:2]
    assert values["micro_f1"] == pytest.approx(f1_score(true, decided, average="micro"))
    own = loaded.predictions
    assert found.own_metrics[0].value == pytest.approx(average_precision_score(own.labels[:, :2], own.probabilities[:, :2]))
    told = {note.kind: note for note in found.notes}
    assert told[K.LABELS_NOT_HERE].numbers == (len(others),)
    assert told[K.CLASSES_SPELLED_OTHERWISE].names == (first, first.upper())
    assert f"Labels that none of these data has: {others[0]}" in " ".join(sentences(found.notes))
    assert (found.images, found.correct, found.own_correct, found.classes) == (20, None, None, ())
    assert found.told(metrics.part("mean_average_precision")(), "images").startswith("Mean average precision ")
    assert all(each.low is not None for each in found.differences if each.name == "mean_average_precision")
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


def test_what_the_run_has_learned_from_does_not_count(run: str, trained: tuple[RunSpec, Path]) -> None:
    """Its own test alone is left, which says the same once more."""
    found, own = evaluation(run, Recipe.of(trained[0])), tl.load_run(run).result
    assert found.images == own.test_images == 24
    assert [each.value for each in found.metrics] == pytest.approx([each.value for each in own.metrics], rel=1e-4)
    assert found.own_metrics == own.metrics
    assert not {K.OTHER_LABEL_SHARES, K.LABELS_NOT_HERE} & {note.kind for note in found.notes}


def test_a_label_that_the_run_does_not_know_is_refused_by_its_name(run: str, tmp_path: Path) -> None:
    first = tl.load_run(run).result.class_names[0]
    with pytest.raises(DataError, match="These data have labels that the run does not know: lava"):
        EvaluationStudy(run_id=run).require_possible(other(tmp_path, [first, f"{first}|lava"] * 5))


def test_other_shares_of_labels_are_told() -> None:
    rng = np.random.default_rng(0)
    here, there = rng.random((80, 3)) < [0.5, 0.5, 0.9], rng.random((80, 3)) < [0.5, 0.5, 0.4]
    (note,) = label_shares_differ(here, there, ("a", "b", "c"))
    assert (note.kind, note.names) == (K.OTHER_LABEL_SHARES, ("c",))
    assert note.numbers == pytest.approx((here[:, 2].mean(), there[:, 2].mean()), abs=1e-4)
    assert not list(label_shares_differ(here, here, ("a", "b", "c")))
