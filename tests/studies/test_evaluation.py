"""A finished run tested on other data: what counts, what is told, what is kept, and what is refused."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import tl_core as tl
from tests.helpers import CommandLine, keep_outcome, keep_run, processes_of, wait_until, write_images
from tests.tools.evaluating import evaluated
from tl_core.analysis.statistics import wilson
from tl_core.data.resizing import SquarePixels
from tl_core.errors import RunError, TransferError
from tl_core.features.cache import ActivationCache
from tl_core.metrics import measure
from tl_core.notes import NoteKind
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import MetricValue, Result
from tl_core.runs import artifacts, deletion, evaluations
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.strategies import strategies
from tl_core.studies import COMMAND
from tl_core.studies._saved_model import SavedModel
from tl_core.studies.evaluation import EvaluationResult, EvaluationStudy
from tl_core.testing._toy import SIZE as TOY_SIZE
from tl_core.testing.strategy import _trained
from tl_core.training.train import train

SIZE = 16
SETTINGS = {"backbone": "small_cnn", "backbone.width": "4", "strategy": "from_scratch", "strategy.epochs": "1"}
K = NoteKind


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of images that a small run has learned from, and that of what it left."""
    images = write_images(tmp_path_factory.mktemp("own") / "images", classes=3, each=24)
    left = tmp_path_factory.mktemp("run")
    artifacts.write_outcome(left, train(spec_of(images), lambda event: None))
    return images, left


def spec_of(images: Path) -> RunSpec:
    named = {"dataset": "image_folder", "dataset.path": str(images), "image_size": SIZE}
    return Recipe.of(RunSpec().with_settings(SETTINGS | named)).spec()


@pytest.fixture
def run(trained: tuple[Path, Path], home: Path) -> str:
    """The id of the run, in a store of the test's own."""
    images, left = trained
    keep_outcome(Store(), "a", spec_of(images), left)
    return "a"


def other(folder: Path, *, change: Callable[[Any], Any] = lambda pixels: pixels, **names: str) -> Path:
    """A folder with eight images a class, of `names` in place of class0 and so on; where a name is empty there is none."""
    write_images(folder, classes=3, each=8, size=21)
    for file in folder.rglob("*.png"):
        Image.fromarray(np.asarray(change(np.asarray(Image.open(file), np.float32)), np.uint8)).save(file)
    for name, new in names.items():
        (folder / name).rename(folder / new) if new else shutil.rmtree(folder / name)
    return folder


def on(run: str, folder: Path) -> Recipe:
    return Recipe.of(Store().run(run).spec.with_settings({"dataset": "image_folder", "dataset.path": str(folder)}))


def asked(run: str, folder: Path) -> EvaluationResult:
    """What the study finds, in this process."""
    return evaluated(run, on(run, folder))


def answered(run: str, folder: Path) -> Evaluation:
    found = asked(run, folder)
    assert found.error == ""
    assert found.evaluation
    return found.evaluation


def metric_of(metrics: Sequence[MetricValue], name: str) -> float:
    return next(metric.value for metric in metrics if metric.name == name)


def kinds(found: Evaluation) -> list[NoteKind]:
    return [note.kind for note in found.notes]


def test_the_numbers_are_those_of_the_model(run: str, tmp_path: Path) -> None:
    folder = other(tmp_path / "new", class1="Class 1", class2="")
    before = {file.name: file.read_bytes() for file in Store().folder(run).iterdir() if file.is_file()}
    (tmp_path / "new" / "Class 1").rename(tmp_path / "new" / "CLASS1")
    found = answered(run, folder)

    model = tl.load_run(run).model
    files = sorted(folder.rglob("*.png"), key=lambda file: (file.parent.name != "CLASS1", str(file)))
    pixels = np.stack([np.asarray(Image.open(file).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for file in files])
    said = keras.ops.convert_to_numpy(model(pixels.astype(np.float32), training=False))
    labels = np.repeat([1, 0], 8)
    right = int((said.argmax(axis=1) == labels).sum())

    assert (found.images, found.correct, found.splits) == (16, right, {"train": 16})
    expected = {metric.name: metric for metric in measure(labels, said)}
    assert {metric.name for metric in found.metrics} == set(expected)
    for metric in found.metrics:
        assert metric.value == pytest.approx(expected[metric.name].value, abs=1e-5, nan_ok=True)
    assert found.interval == wilson(right, 16)
    own, gains = tl.load_run(run).predictions, {each.name: each for each in found.differences}
    same = own.labels < 2  # of the classes that are here
    there = measure(own.labels[same], own.probabilities[same])
    assert (found.own_images, found.own_accuracy) == (same.sum(), there[0].value)
    assert gains["accuracy"].value == pytest.approx(found.accuracy - found.own_accuracy)
    assert (gains["accuracy"].low, gains["accuracy"].high) == pytest.approx((found.gain.low, found.gain.high))
    assert gains["macro_f1"].value == pytest.approx(expected["macro_f1"].value - metric_of(there, "macro_f1"), abs=1e-5)
    assert {"log_loss", "balanced_accuracy"} < set(gains)
    assert [(each.name, each.examples) for each in found.classes] == [("class0", 8), ("class1", 8), ("class2", 0)]
    assert kinds(found)[:3] == [K.TESTED_ON_ALL, K.CLASSES_NOT_HERE, K.CLASSES_SPELLED_OTHERWISE]
    assert found.notes[1].names == ("class2",)
    assert found.notes[2].names == ("class1", "CLASS1")
    assert {file.name: file.read_bytes() for file in Store().folder(run).iterdir() if file.is_file()} == before


def test_what_the_run_has_learned_from_does_not_count(run: str, trained: tuple[Path, Path], tmp_path: Path) -> None:
    """As the folder that it learned from has no splits, all of it is asked about, and its own test alone is left."""
    own = tl.load_run(run).result
    found = answered(run, trained[0])
    assert found.images == own.test_images < sum(found.splits.values()) == 72
    assert (found.correct, found.images) == (own.test_correct, found.own_images)
    told = {note.kind: note.numbers for note in found.notes}
    assert told[K.ALREADY_TRAINED_ON] == (72 - own.test_images, 72)
    assert told[K.ALSO_IN_OWN_TEST] == (own.test_images,)

    data = Recipe.of(spec_of(trained[0])).dataset.load(0)
    (tmp_path / "seen" / "class0").mkdir(parents=True)
    shutil.copy(data.train.paths[0], tmp_path / "seen" / "class0")
    assert "trained or validated on all of these images" in asked(run, tmp_path / "seen").error


def test_a_test_split_is_taken_alone(run: str, tmp_path: Path) -> None:
    other(tmp_path / "new" / "train")
    other(tmp_path / "new" / "test", change=lambda pixels: pixels // 2, class0="", class1="")
    (tmp_path / "new" / "test" / "class2" / "photo.heic").touch()
    found = answered(run, tmp_path / "new")
    assert found.splits == {"test": 8}
    assert kinds(found)[0] == K.TESTED_ON_TEST_SPLIT
    assert K.FILES_WITHOUT_IMAGE_NAMES in kinds(found)  # as in every dataset, what was left out is told


def test_what_differs_is_told(run: str, tmp_path: Path) -> None:
    darker = answered(run, other(tmp_path / "dark", change=lambda pixels: pixels // 4))
    (brightness,) = (note for note in darker.notes if note.kind is K.OTHER_BRIGHTNESS)
    assert brightness.numbers[0] < brightness.numbers[1] / 2
    assert {K.SHIFT_CLEAR, K.SHIFT_TOO_FEW, K.SHIFT_LITTLE} & set(kinds(darker))
    same = answered(run, other(tmp_path / "same", change=lambda pixels: np.flip(pixels, axis=1)))
    assert K.OTHER_BRIGHTNESS not in kinds(same)
    assert K.SHIFT_CLEAR not in kinds(same)


def test_several_are_kept_the_newest_first_and_go_with_the_run(run: str, tmp_path: Path) -> None:
    """Also those of one folder that holds the photographs of another month; the same ones once more take their own place."""
    month, folder = other(tmp_path / "month"), Store().folder(run)
    first = answered(run, month)
    shutil.rmtree(month)
    second = answered(run, other(month, change=lambda pixels: pixels // 2))
    assert evaluations.read(folder) == tl.load_run(run).evaluations == (second, first)
    again = answered(run, month)
    assert again.at > second.at
    assert evaluations.read(folder) == (again, first)
    assert [each["title"] for each in CommandLine(Store().home).call("runs", "--json").json[0]["evaluations"]] == ["month"] * 2
    (folder / evaluations.FOLDER / "other.json").write_text("{}")  # of another version
    assert len(evaluations.read(folder)) == 2
    assert "Its tests on other data are lost: 2." in deletion.losses(Store(), Store().run(run))
    deletion.delete(Store(), run, State.DONE)
    assert not folder.exists()
    with pytest.raises(RunError, match="was deleted meanwhile"):
        evaluations.write(folder, again)


def test_own_data_that_have_changed_or_gone_are_told(run: str, trained: tuple[Path, Path], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(trained[0], moved)
    Store().update(run, lambda _: {"spec": spec_of(moved).model_dump(mode="json")})
    next((moved / "class0").iterdir()).unlink()
    assert K.OWN_DATA_CHANGED in kinds(answered(run, other(tmp_path / "new")))
    shutil.rmtree(moved)
    gone = answered(run, tmp_path / "new")
    assert kinds(gone) == [K.TESTED_ON_ALL, K.OWN_DATA_GONE]
    assert gone.images == 24


def refused(run: str, folder: Path) -> str:
    with pytest.raises(TransferError) as raised:
        EvaluationStudy(run_id=run).require_possible(on(run, folder))
    return str(raised.value)


def test_data_that_do_not_fit_are_refused_in_a_sentence(run: str, tmp_path: Path) -> None:
    said = refused(run, other(tmp_path / "strange", class1="zebra"))
    assert said.startswith("These data have classes that the run does not know: zebra. ")
    assert said.endswith("Received: a run of the classes class0, class1, class2")
    (tmp_path / "empty" / "class0").mkdir(parents=True)
    assert "no image" in refused(run, tmp_path / "empty").lower()
    broken = other(tmp_path / "broken")
    (broken / "class0" / "0.png").write_bytes(b"no image")
    assert "0.png" in asked(run, broken).error
    assert tl.load_run(run).evaluations == ()


def test_runs_that_cannot_be_tested_are_refused(run: str, tmp_path: Path) -> None:
    store, folder = Store(), other(tmp_path / "new")
    keep_run(store, "b", State.FAILED, store.run(run).spec)
    assert "Only a finished run" in refused("b", folder)
    model = store.folder(run) / artifacts.MODEL
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    assert "cannot be loaded" in asked(run, folder).error
    model.unlink()
    assert "is not there any more" in refused(run, folder)
    with pytest.raises(RunError, match="no run of that id"):
        evaluations.finished(store, "none")


def test_runs_of_before_are_compared_by_their_predictions(run: str, tmp_path: Path) -> None:
    folder = Store().folder(run)
    former = artifacts.read_result(folder).model_copy(update={"metrics": (), "data_digest": ""})
    (folder / artifacts.RESULT).write_text(former.model_dump_json())
    found = answered(run, other(tmp_path / "new"))
    assert {each.name for each in found.differences} == {metric.name for metric in found.metrics}
    assert K.OWN_DATA_CHANGED not in kinds(found)


def test_the_command_says_what_is_wrong(run: str, tmp_path: Path) -> None:
    line = CommandLine(Store().home)
    assert "Say on which data" in line.call("evaluate", run).err
    done = line.call("evaluate", run, "--dataset", "image_folder", "--set", "image_size=32", "--json")
    assert (done.code, done.json["evaluations"]) == (2, None)
    assert "tested as it was trained" in done.json["error"]
    done = line.call("evaluate", run, "--dataset", "image_folder", "--set", f"dataset.path={tmp_path / 'nowhere'}")
    assert done.code == 2
    assert "nowhere" in done.err


def test_a_result_survives_json(run: str, tmp_path: Path) -> None:
    found = answered(run, other(tmp_path / "new", class1="", class2=""))  # of one class: some metrics are not defined
    assert Evaluation.model_validate_json(found.model_dump_json()).classes == found.classes
    assert isinstance(tl.load_run(run).result, Result)


def ended(study: EvaluationStudy, home: Path, recipe: Recipe) -> bool:
    return not study.is_at_work(home, recipe)


@pytest.mark.process
def test_one_that_is_killed_leaves_nothing_and_two_at_once_do_not_meet(run: str, tmp_path: Path) -> None:
    first, second = other(tmp_path / "first"), other(tmp_path / "second", change=lambda pixels: pixels // 2)
    home, study = Store().home, EvaluationStudy(run_id=run)
    recipes = [on(run, first), on(run, second)]
    study.request(home, recipes[0])
    wait_until(lambda: study.read(home, recipes[0]))
    study.cancel(home, recipes[0])
    wait_until(partial(ended, study, home, recipes[0]))
    assert study.read(home, recipes[0]) is None
    assert tl.load_run(run).evaluations == ()
    for recipe in [*recipes, *recipes]:  # who asks again meanwhile waits for the same answer
        study.request(home, recipe)
    assert len(processes_of(home, COMMAND)) == 2
    for recipe in recipes:
        wait_until(partial(ended, study, home, recipe))
    assert {each.title for each in tl.load_run(run).evaluations} == {"first", "second"}


@pytest.mark.process
def test_the_command_tests_a_run(run: str, tmp_path: Path) -> None:
    folder = other(tmp_path / "new", class2="")
    line, named = CommandLine(Store().home), ("--dataset", "image_folder", "--set", f"dataset.path={folder}")
    done = line.run("evaluate", run, *named, "--json")
    assert done.code == 0, done.err
    (kept,) = tl.load_run(run).evaluations
    assert done.json["accuracy"] == kept.accuracy
    assert done.json["images"] == 16
    assert done.json["differences"]["accuracy"]["low"] <= done.json["differences"]["accuracy"]["value"]
    assert done.json["notes"][0] == "Tested on all of these data, since they have no test split of their own: 16 images."
    shown = line.call("watch", run, "--json").json
    assert shown["evaluations"][0] == {name: value for name, value in done.json.items() if name != "run_id"}


@pytest.mark.full
@pytest.mark.parametrize("name", strategies.parts())
def test_the_saved_model_of_every_strategy_says_the_same_in_two_parts(name: str, tmp_path: Path) -> None:
    trained = _trained(strategies.part(name))
    trained.outcome.model.save(tmp_path / "model.keras")
    test, cache = trained.data.test, ActivationCache(tmp_path / "cache", 10**9)
    squares, file = SquarePixels(TOY_SIZE), tmp_path / "model.keras"
    network = SavedModel(file, squares, Precision.FLOAT32, len(test), lambda event: None, cache=cache, graph=None)
    said = network.outputs(network.features(test))
    pixels = squares.encode(test, np.arange(len(test))).astype(np.float32)
    np.testing.assert_allclose(said, trained.outcome.model.predict_on_batch(pixels), rtol=1e-3, atol=1e-4)


@pytest.mark.process
def test_texts_are_tested_on_with_the_words_that_the_run_knows(home: Path, tmp_path: Path) -> None:
    """They come from its training texts, and without these nobody can know them."""
    own, other = tmp_path / "own.csv", tmp_path / "other.csv"
    own.write_text("text,label\n" + "\n".join(f"a {word} day number {n},{word}" for word in ("good", "bad") for n in range(12)))
    other.write_text("text,label\n" + "\n".join(f"what a {word} week {n},{word}" for word in ("bad", "good") for n in range(9)))
    line = CommandLine(home)
    given = {"dataset": "csv_text", "dataset.path": str(own), "backbone": "bag_of_words", "backbone.words": "40"}
    run = line.call("train", *(f"--set={name}={value}" for name, value in given.items()), "--json").json["run_id"]
    asked = ["evaluate", run, "--dataset", "csv_text", f"--set=dataset.path={other}", "--json"]
    assert line.call(*asked).json["accuracy"] == 1
    own.unlink()
    done = line.call(*asked[:-1])
    assert done.code == 2
    assert "Bag of words knows the words of the texts that it learned from" in done.err
