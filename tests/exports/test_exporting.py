"""A finished run's model as it leaves: what lies in its folder, what was compared, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

import tl_core as tl
from tests.exports.odd import Wrong, checked
from tests.helpers import HANGS_SECONDS, SMALL_CNN, CommandLine, keep_outcome, keep_run
from tests.tasks.crops import crops
from tests.tasks.pairs import pairs
from tl_core.data.resizing import center_crop_resize
from tl_core.errors import SettingError, StorageError, TransferError
from tl_core.exports import INSTALL, Contents, formats
from tl_core.exports._answers import SCRIPT
from tl_core.exports.keras import KerasFormat
from tl_core.networks.classifier import Classifier
from tl_core.networks.onnx_graph import Affine, OnnxGraph, examined
from tl_core.recipe import Recipe
from tl_core.runs import artifacts, exported
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.studies._calibrating import calibrate, require_calibratable
from tl_core.studies.export_check import ExportCheck
from tl_core.tasks import Task
from tl_core.tasks.classification import Classification
from tl_core.tasks.regression import Regression
from tl_core.training.train import train

ONE_EPOCH = {"strategy": "from_scratch", "strategy.epochs": 1}
ALONE = """
import runpy, sys
for name in ("keras", "tensorflow", "tl_core"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script where there is none of these modules."""


def printed(folder: Path, given: object) -> dict[str, float]:
    """What the script of an export prints of an example, in a process without Keras and this package."""
    command = [sys.executable, "-c", ALONE, str(folder / SCRIPT), str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=HANGS_SECONDS)
    assert done.returncode == 0, done.stderr
    return {name: float(value) for value, name in (line.split(" ", 1) for line in done.stdout.splitlines())}


@pytest.mark.process
@pytest.mark.parametrize("name", ["onnx", "openvino", "litert"])
def test_the_script_predicts_with_its_runtime_alone(name: str, run: str, tmp_path: Path) -> None:
    if missing := formats.part(name).missing():
        pytest.skip(f"{missing} is not installed: {INSTALL}")
    found = checked(run, name)
    assert found.error == ""
    parity = exported.read(Store().folder(run))[name]
    assert parity == found.parity
    assert parity.is_good
    assert parity.agreeing == parity.examples == Store().run(run).test_images
    assert parity.correct == parity.own_correct == Store().run(run).correct
    folder = exported.place(Store().folder(run), name)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (31, 20, 3), np.uint8)).save(tmp_path / "a.png")
    pixels = center_crop_resize(Image.open(tmp_path / "a.png"), 16).astype(np.float32)[None]
    expected = keras.ops.convert_to_numpy(tl.load_run(run).model(pixels, training=False))[0]
    said = printed(folder, tmp_path / "a.png")
    assert list(said) == ["class0", "class1", "class2"]
    np.testing.assert_allclose(list(said.values()), expected, atol=1e-3)
    about = json.loads((folder / "model.json").read_text())
    assert (about["task"], about["input"]["shape"]) == ("classification", [16, 16, 3])


@pytest.mark.full
def test_a_head_that_normalises_leaves_as_an_onnx_file_that_serves_as_a_network(tmp_path: Path) -> None:
    if missing := formats.part("onnx").missing():
        pytest.skip(f"{missing} is not installed: {INSTALL}")
    pixels = keras.Input((8, 8, 3))
    found = Classifier.on(pixels, keras.layers.GlobalAveragePooling2D()(pixels), 3, normalise=True)
    found.set_head(np.eye(3), np.zeros(3), centre=np.array([9.0, 99.0, 199.0]), groups=(3,))
    formats.part("onnx")().export(Contents(found.model, np.zeros((0, 8), np.float32), (), ""), tmp_path)
    file, images = tmp_path / "model.onnx", np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    graph = OnnxGraph(file, "", None, Affine(), 8, examined(file, file, None, Affine()))
    said = graph.compiled(4, bfloat16=False)(images)[0]
    np.testing.assert_allclose(said, keras.ops.convert_to_numpy(found.model(images.astype(np.float32))), atol=1e-5)


@pytest.mark.process
def test_words_and_what_is_no_class_leave_too(home: Path, tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {
        "several": {"task": "multi_label", "dataset": "csv_manifest", "dataset.path": str(pairs(tmp_path, 6)), **SMALL_CNN},
        "number": {
            **{"task": "regression", "dataset": "csv_manifest", "dataset.label_column": "side", **SMALL_CNN},
            "dataset.path": str(crops(tmp_path, 60)),
        },
        "words": {"dataset": "docstrings", "dataset.labels_per_class": 3, "backbone": "text_cnn", **ONE_EPOCH},
    }
    for run, given in settings.items():
        spec = Recipe.of(RunSpec().with_settings(given)).spec()
        (tmp_path / run).mkdir()
        artifacts.write_outcome(tmp_path / run, train(spec, lambda event: None))
        keep_outcome(Store(), run, spec, tmp_path / run)
        found = checked(run, "openvino")
        assert found.error == ""
        assert found.parity
        assert found.parity.is_good
        assert (found.parity.agreeing is None) == (run != "words")
    words = tl.load_run("words")
    text = Recipe.of(words.spec).dataset.load(words.spec.seed).test.read(0)
    said = printed(exported.place(words.folder, "openvino"), text)
    np.testing.assert_allclose(list(said.values()), words.predictions.probabilities[0], atol=1e-3)


class Unwilling(Wrong):
    """Nothing."""

    title: ClassVar[str] = "Unwilling"

    def write(self, contents: Contents, place: Path) -> None:
        place.write_text("half of it")
        raise RuntimeError("no such\n  operator")


class Unloadable(Wrong):
    """Nothing."""

    title: ClassVar[str] = "Unloadable"
    loads: ClassVar[str] = "raise ValueError('broken')"


@pytest.fixture
def odd_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats that fail, each in a way of its own."""
    for part in (Wrong, Unwilling, Unloadable):
        monkeypatch.setattr(part, "name", part.title.lower(), raising=False)
        monkeypatch.setitem(formats._parts, part.name, part)


@pytest.mark.usefixtures("odd_formats")
def test_what_says_something_else_is_not_offered(run: str) -> None:
    found = checked(run, "wrong")
    assert found.parity
    assert not found.parity.is_good
    said = ExportCheck(format="wrong").conclusion(found)
    assert said.startswith("Wrong does not say the same as the run: on 18 test images it differs by up to ")
    assert [file.name for file in exported.place(Store().folder(run), "wrong").iterdir()] == [exported.PARITY]


@pytest.mark.usefixtures("odd_formats")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unwilling", "This network cannot be had as Unwilling (no such operator). Choose another format. Received: unwilling"),
        ("unloadable", "This network cannot be had as Unloadable (ValueError: broken). "),
    ],
)
def test_what_cannot_be_is_a_sentence_and_leaves_nothing(name: str, said: str, run: str) -> None:
    assert checked(run, name).error.startswith(said)
    assert not exported.place(Store().folder(run), name).exists()
    assert not exported.read(Store().folder(run))


def test_a_disk_that_fills_leaves_the_former_export(tmp_path: Path) -> None:
    exported.place(tmp_path, "onnx").mkdir(parents=True)
    with pytest.raises(StorageError, match="No space left"), exported.new_export(tmp_path, "onnx") as folder:
        (folder / "half").touch()
        raise OSError(28, "No space left on device")
    assert [each.name for each in (tmp_path / exported.FOLDER).iterdir()] == ["onnx"]


def test_what_a_format_says_itself_is_said_once(tmp_path: Path) -> None:
    class Refusing(KerasFormat):
        def write(self, contents: Contents, place: Path) -> None:
            raise self.refused("it has an operator that this lacks")

    with pytest.raises(TransferError) as caught:
        Refusing().export(Contents(None, np.zeros((0, 4), np.float32), (), ""), tmp_path)
    assert str(caught.value).count("cannot be had as Keras") == 1


def test_a_temperature_is_put_into_the_head_and_changes_no_class() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="head")])
    rng = np.random.default_rng(0)
    inputs, labels = 9 * rng.standard_normal((300, 4)).astype(np.float32), rng.integers(0, 3, 300)
    said = keras.ops.convert_to_numpy(model(inputs))
    found = calibrate(model, said, labels, (said, labels))
    assert found.temperature > 2  # it was sure, and guessed
    assert found.examples == 300
    assert found.validation_error == found.test_error
    assert found.validation_error[1] < 0.5 * found.validation_error[0]
    now = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_array_equal(now.argmax(axis=1), said.argmax(axis=1))
    np.testing.assert_allclose(now, softmax(np.log(said.astype(float)) / found.temperature, axis=1), atol=1e-5)


@pytest.mark.parametrize(("task", "images"), [(Classification, 0), (Regression, 9)])
def test_what_cannot_be_calibrated_is_refused(task: type[Task], images: int) -> None:
    with pytest.raises(SettingError, match="A temperature is fitted to classes of validation examples, and "):
        require_calibratable(task, images)


def refused(run: str, name: str) -> str:
    with pytest.raises(TransferError) as caught:
        ExportCheck(run_id=run, format=name).require_possible(Recipe.of(RunSpec()))
    return str(caught.value)


def test_what_cannot_leave_is_said_before_anything_starts(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_run(Store(), "b", State.FAILED)
    assert "Only a finished run has a model" in refused("b", "keras")
    assert "Did you mean onnx?" in refused(run, "onxx")
    monkeypatch.setattr(formats.part("onnx"), "needs", ("no_such_module",))
    assert (
        refused(run, "onnx") == "ONNX needs no-such-module, which is not installed. Run: pip install -r requirements-exports.txt"
    )
    (Store().folder(run) / artifacts.MODEL).unlink()
    assert "The model of this run is not there any more." in refused(run, "keras")


def test_data_that_have_changed_are_said(run: str, trained: tuple[RunSpec, Path], tmp_path: Path) -> None:
    spec = trained[0].with_settings({"dataset.path": str(tmp_path / "moved")})
    keep_outcome(Store(), "b", spec, trained[1])
    said = checked("b", "keras").error
    assert said.startswith("An export is held against the run on its own test examples, which are not there as they were: ")


@pytest.fixture
def line(home: Path) -> CommandLine:
    return CommandLine(home)


def test_the_command_needs_a_folder_of_its_own(line: CommandLine, run: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        done = line.call("export", run, "--format", "keras", "--to", taken)
        assert (done.code, done.out) == (2, "")
        assert "needs a folder of its own" in done.err


@pytest.mark.process
def test_the_command_writes_what_was_checked(line: CommandLine, run: str, tmp_path: Path) -> None:
    done = line.call("export", run, "--format", "openvino", "--calibrated", "--to", tmp_path / "new" / "there", "--json")
    assert done.code == 0, done.err
    assert done.json["largest_difference"] < 1e-4
    assert done.json["correct"] == done.json["own_correct"]
    assert done.json["greatest_loss"] is None
    assert done.json["calibration"]["examples"] == artifacts.read_result(Store().folder(run)).validation_images
    assert json.loads((tmp_path / "new" / "there" / "model.json").read_text())["calibration"] == done.json["calibration"]
    assert {file.name for file in (tmp_path / "new" / "there").iterdir()} == {"model.xml", "model.bin", "model.json", SCRIPT}
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["there"]
