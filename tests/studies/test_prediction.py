"""A finished run asked about pictures: what it says, which training images are near, what is shown, and what is refused."""

import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.neighbors import NearestNeighbors

import tl_core as tl
from tests.exports.conftest import run, trained
from tests.helpers import SMALL_CNN, CommandLine, keep_outcome, keep_run
from tests.studies import test_words
from tests.tasks.crops import crops
from tests.tasks.pairs import pairs
from tests.tools.answering import answered
from tl_core.analysis.out_of_distribution import FALSE_ALARMS
from tl_core.data.formats.pictures import bring
from tl_core.data.resizing import center_crop_resize
from tl_core.errors import RunError, TransferError
from tl_core.notes import NoteKind
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._calibrating import cooled, fitted
from tl_core.studies._predicted import Shown
from tl_core.studies.prediction import GIVEN, STALE_SECONDS, Prediction, PredictionResult, forget_stale
from tl_core.tasks.classification import Classification
from tl_core.tasks.multi_label import MultiLabel
from tl_core.tasks.regression import Regression
from tl_core.training.train import train

__all__ = ["run", "trained"]
TEXTS = {"dataset": "docstrings", "backbone": "bag_of_words"}


def asked(run: str, *pictures: Path, **settings: Any) -> PredictionResult:
    """What the study finds, in this process."""
    found = answered(Prediction(run_id=run, files=pictures, **settings), Store().home, Recipe.of(Store().run(run).spec))
    assert found.error == ""
    return found


@pytest.fixture
def folder(trained: tuple[RunSpec, Path], tmp_path: Path) -> Path:
    """A folder with a training image, something else in a folder of its own, a broken picture and a file of another kind."""
    below = tmp_path / "pictures" / "more"
    below.mkdir(parents=True)
    train = Recipe.of(trained[0]).dataset.load(trained[0].seed).train
    shutil.copy(train.paths[5], below.parent / "known.png")
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 25, 3), np.uint8)).save(below / "noise.png")
    (below.parent / "broken.png").write_bytes(b"no picture")
    (below.parent / "readme.txt").touch()
    return below.parent


def test_it_says_what_the_model_says(run: str, folder: Path) -> None:
    with zipfile.ZipFile(folder.parent / "all.zip", "w") as archive:
        archive.write(folder / "known.png", "a/known.png")
    found = asked(run, folder, folder / "known.png", folder.parent / "all.zip", top=2)
    names = ["broken.png", "known.png", "more/noise.png", "known.png", "a/known.png"]
    assert [picture.name for picture in found.examples] == names
    broken, known, noise, *copies = found.examples
    assert broken.reason == "its content is not an image"
    assert not (broken.outputs or broken.nearest)
    assert [replaced.outputs for replaced in copies] == [known.outputs] * 2
    assert [note.kind for note in found.notes] == [NoteKind.FILES_WITHOUT_IMAGE_NAMES]

    loaded = tl.load_run(run)
    pixels = np.stack([center_crop_resize(Image.open(folder / name), 16) for name in names[1:3]]).astype(np.float32)
    said = keras.ops.convert_to_numpy(loaded.model(pixels, training=False))
    for picture, probabilities in zip((known, noise), said, strict=True):
        best = probabilities.argsort()[::-1][:2]
        assert [name for name, _ in picture.outputs] == [loaded.result.class_names[index] for index in best]
        assert [value for _, value in picture.outputs] == pytest.approx(probabilities[best], abs=1e-3)


def test_the_nearest_and_the_threshold_are_those_of_scikit_learn(run: str, folder: Path) -> None:
    found, loaded = asked(run, folder), tl.load_run(run)
    data = Recipe.of(loaded.spec).dataset.load(loaded.spec.seed)
    body = keras.Model(loaded.model.input, loaded.model.get_layer("head").input)

    def unit(pixels: list[Any]) -> Any:
        inputs = np.stack([center_crop_resize(each, 16) for each in pixels]).astype(np.float32)
        features = keras.ops.convert_to_numpy(body(inputs, training=False))
        return features / np.linalg.norm(features, axis=1, keepdims=True)

    train, test = (unit([split.picture(index) for index in range(len(split))]) for split in (data.train, data.test))
    limit = found.threshold
    assert limit
    k, others = limit.k, NearestNeighbors(n_neighbors=limit.k).fit(train)
    assert k == len(train) // 6
    own = np.sort(others.kneighbors()[0][:, -1])
    assert (limit.fitted_on, limit.fitted) == ("train", len(train))  # there are only six validation images
    assert limit.distance == pytest.approx(own[int(np.ceil((len(own) + 1) * (1 - FALSE_ALARMS))) - 1], abs=1e-3)
    assert limit.tested == len(test)
    _, known, noise = found.examples
    assert known.nearest[0].name == data.train.name(5)
    assert known.nearest[0].label == data.class_names[data.train.labels[5]]
    assert known.nearest[0].distance == pytest.approx(0, abs=1e-2)
    distance = others.kneighbors(unit([Image.open(folder / "more" / "noise.png")]))[0][0]
    assert [each.distance for each in noise.nearest] == pytest.approx(distance[:5], abs=1e-2)
    assert noise.distance
    assert noise.distance == pytest.approx(distance[-1], abs=1e-2)
    assert noise.is_outside == (noise.distance > limit.distance)
    assert Prediction().conclusion(found).startswith("2 predicted, 1 could not be read. ")
    (trust,) = Prediction().trust(found)
    assert f"Of the {len(test)} test images, which are of the run's own kind, it comes for " in trust


def test_of_some_it_is_shown_where_the_network_sees_it(run: str, folder: Path) -> None:
    study, recipe = Prediction(run_id=run, files=(folder,), shown=1), Recipe.of(Store().run(run).spec)
    found = asked(run, folder, shown=1)
    shown = Shown.read(study.shown_file(Store().home, recipe))
    assert shown.numbers.tolist() == [1]
    assert shown.pixels.shape == (*shown.heat.shape, 3)
    assert shown.heat.max() > 200
    assert shown.nearest.shape[:2] == (1, 5)
    assert found.map_size
    assert min(found.map_size) > 1
    assert [picture.areas is not None for picture in found.examples] == [False, True, False]
    study.shown_file(Store().home, recipe).write_bytes(b"half of it")
    with pytest.raises(RunError, match="cannot be read any more"):
        Shown.read(study.shown_file(Store().home, recipe))


def test_data_that_have_changed_leave_what_is_said(run: str, trained: tuple[RunSpec, Path], folder: Path, tmp_path: Path) -> None:
    spec = trained[0].with_settings({"dataset.path": str(tmp_path / "moved")})
    keep_outcome(Store(), "b", spec, trained[1])
    here, there = asked(run, folder), asked("b", folder, shown=1)
    assert [each.outputs for each in there.examples] == [each.outputs for each in here.examples]
    assert (there.threshold, there.examples[1].nearest, there.examples[1].is_outside) == (None, (), None)
    assert there.notes[-1].kind == NoteKind.OUTSIDE_UNKNOWN
    assert Prediction().conclusion(there) == "2 predicted, 1 could not be read."


def test_where_nothing_can_be_read_nothing_is_said(run: str, folder: Path) -> None:
    found = asked(run, folder / "broken.png", shown=1)
    assert [bool(each.reason) for each in found.examples] == [True]
    assert len(list(Prediction().rows(found))) == 1


def test_texts_are_predicted_with_the_words_that_decided(home: Path, tmp_path: Path) -> None:
    run = test_words.trained(test_words.written(tmp_path))
    loaded = tl.load_run(run)
    data = Recipe.of(loaded.spec).dataset.load(loaded.spec.seed)
    known = data.train.read(3)
    (tmp_path / "given.txt").write_text(f"such a splendid house\n{known}\n\nzebra quagga okapi\n")
    found = asked(run, tmp_path / "given.txt", shown=2)
    written, first, strange = found.examples
    assert [each.name for each in found.examples] == ["such a splendid house", known, "zebra quagga okapi"]
    assert [note.kind for note in found.notes] == [NoteKind.BLANK_TEXTS]
    assert written.outputs[0][0] == "good"
    assert [each.words is not None for each in found.examples] == [True, True, False]
    assert written.words
    assert written.words.strongest(1)[0][0].strip() == "splendid"
    near = first.nearest[0]
    assert (near.name, near.label) == (known, data.class_names[data.train.labels[3]])
    assert near.distance == pytest.approx(0, abs=1e-3)
    assert strange.distance == pytest.approx(1, abs=1e-3)  # it has no word that the run knows
    assert found.threshold
    assert strange.is_outside == (found.threshold.distance < 1.0)
    assert sum(share for _, share in strange.outputs) == pytest.approx(1)
    rows = list(Prediction().rows(found))
    assert {"text", "output_1", "value_1", "outside", "nearest", "decided_by"} < set(rows[0])
    assert rows[0]["decided_by"].startswith("splendid +")


def test_what_is_said_is_calibrated_on_validation_examples() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    sure = np.where(rng.random(200) < 0.8, labels, 1 - labels)  # four of five are right, each said with 99 %
    said = np.where(np.arange(2) == sure[:, None], 0.99, 0.01).astype(np.float32)
    found = fitted(Classification(), said, labels)
    assert found
    assert found.temperature
    assert cooled(said, found.temperature).max() == pytest.approx((sure == labels).mean(), abs=0.02)
    errors = rng.normal(size=199)
    numbers = fitted(Regression(), errors, np.zeros(199))
    assert numbers
    assert numbers.reach == pytest.approx(np.sort(np.abs(errors))[189])  # the 190th of 200
    assert fitted(Regression(), errors[:18], np.zeros(18)) is None
    assert fitted(MultiLabel(), said, labels) is None


@pytest.mark.full
def test_several_labels_and_numbers(home: Path, tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {
        "several": {"task": "multi_label", "dataset": "csv_manifest", "dataset.path": str(pairs(tmp_path, 6)), **SMALL_CNN},
        "number": {
            **{"task": "regression", "dataset": "csv_manifest", "dataset.label_column": "side", **SMALL_CNN},
            "dataset.path": str(crops(tmp_path, 60)),
        },
    }
    for name, given in settings.items():
        spec = Recipe.of(RunSpec().with_settings(given)).spec()
        (tmp_path / name).mkdir()
        artifacts.write_outcome(tmp_path / name, train(spec, lambda event: None))
        keep_outcome(Store(), name, spec, tmp_path / name)
        loaded, test = tl.load_run(name), Recipe.of(spec).dataset.load(spec.seed).test
        found = asked(name, test.paths[0], shown=1)
        (picture,), said = found.examples, loaded.predictions
        assert picture.is_outside is not None or found.notes[-1].kind == NoteKind.TOO_FEW_FOR_OUTSIDE
        if name == "number":
            assert picture.outputs == (("side", pytest.approx(said.probabilities[0], rel=1e-3)),)
            assert (picture.labels, picture.areas) == (None, None)
            assert (picture.interval is None) == (found.fitted is None)
        else:
            limits = np.array([each.value for each in loaded.result.thresholds] or 0.5)
            names = np.array(loaded.result.class_names)
            assert picture.labels == tuple(names[said.probabilities[0] >= limits])
            assert len(picture.outputs) == 3
            assert "labels" in next(Prediction().rows(found))


def test_what_cannot_be_asked_is_said_before_anything_starts(run: str, folder: Path) -> None:
    def refused(run: str, *pictures: Path) -> str:
        with pytest.raises(TransferError) as caught:
            Prediction(run_id=run, files=pictures).require_possible(Recipe.of(RunSpec()))
        return str(caught.value)

    assert "There is no such file or folder." in refused(run, folder / "nowhere.png")
    assert "No picture is given." in refused(run)
    keep_run(Store(), "failed", State.FAILED)
    assert "Only a finished run" in refused("failed", folder)
    keep_run(Store(), "texts", State.DONE, RunSpec().with_settings(TEXTS))
    shutil.copytree(Store().folder(run), Store().folder("texts"))
    assert refused("texts", folder).startswith("This is a folder, and no file of texts.")
    keep_run(Store(), "rows", State.DONE, RunSpec().with_settings({"dataset": "csv_table"}))
    shutil.copytree(Store().folder(run), Store().folder("rows"))
    assert refused("rows", folder).startswith("Pictures and texts are predicted, and this run has learned from neither.")
    (folder.parent / "empty").mkdir()
    study, recipe = Prediction(run_id=run, files=(folder.parent / "empty",)), Recipe.of(Store().run(run).spec)
    assert answered(study, Store().home, recipe).error.startswith("There are no images here.")


def test_a_hostile_archive_and_a_link_that_leads_out_bring_nothing(run: str, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hostile.zip", "w") as archive:
        archive.writestr("../outside.png", b"x")
    study, recipe = Prediction(run_id=run, files=(tmp_path / "hostile.zip",)), Recipe.of(Store().run(run).spec)
    assert "wants to lie outside of the folder" in answered(study, Store().home, recipe).error
    (folder / "link.png").symlink_to(trained_image := tmp_path / "elsewhere.png")
    trained_image.write_bytes((folder / "known.png").read_bytes())
    found = asked(run, folder)
    assert "link.png" not in [picture.name for picture in found.examples]
    assert NoteKind.LINKS_OUT in [note.kind for note in found.notes]


def test_what_a_browser_brings_lies_in_a_folder_of_its_own_for_a_day(tmp_path: Path) -> None:
    files = bring([("../a.png", b"1"), ("a.png", b"2"), ("b c.png", b"3")], tmp_path / GIVEN)
    assert [file.name for file in files] == ["a.png", "1-a.png", "b c.png"]
    assert [file.read_bytes() for file in files] == [b"1", b"2", b"3"]
    assert {file.parent.parent for file in files} == {tmp_path / GIVEN}
    assert bring([("a.png", b"1")], tmp_path / GIVEN)[0].parent != files[0].parent
    (tmp_path / "result.json").touch()
    for old in (files[0].parent, tmp_path / "result.json"):
        os.utime(old, (0, time.time() - STALE_SECONDS - 1))
    forget_stale(tmp_path)
    assert not files[0].exists()
    assert [each.name for each in tmp_path.iterdir()] == [GIVEN]
    (tmp_path / "file").touch()
    with pytest.raises(TransferError, match="cannot be"):
        bring([("a.png", b"1")], tmp_path / "file")


@pytest.mark.process
def test_the_command_writes_a_row_for_each_picture(run: str, folder: Path, home: Path, tmp_path: Path) -> None:
    line = CommandLine(home)
    done = line.call("predict", run, folder, "--top", 2, "--csv", tmp_path / "said.csv", "--json")
    assert done.code == 0, done.err
    assert [picture["name"] for picture in done.json["pictures"]] == ["broken.png", "known.png", "more/noise.png"]
    assert done.json["threshold"]["tested"] == Store().run(run).test_images
    table = pd.read_csv(tmp_path / "said.csv")
    assert table["picture"].tolist() == ["broken.png", "known.png", "more/noise.png"]
    assert table["reason"].tolist()[0] == "its content is not an image"
    assert table["value_1"].tolist()[1] == pytest.approx(done.json["pictures"][1]["outputs"][0][1])
    missing = line.call("predict", run, tmp_path / "nowhere")
    assert (missing.code, missing.out) == (2, "")
    assert "There is no such file or folder." in missing.err
