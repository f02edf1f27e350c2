"""`python -m tl_core` as people and scripts use it: each call is a process of its own."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import ENDLESS, QUICK, CommandLine, Finished, settings_arguments, wait_until, write_images
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec

KEYS = {"run_id", "state", "accuracy", "accuracy_interval", "seconds", "trainable_parameters", "error"}
TINY = ("--backbone", "small_cnn", "--strategy", "from_scratch", "--set", "strategy.epochs=1", "--set", "image_size=16")


@pytest.fixture
def line(home: Path) -> CommandLine:
    return CommandLine(home)


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_train_with_nothing_said(default_run: Finished) -> None:
    assert default_run.code == 0
    assert default_run.out.count("\n") == 1
    summary = default_run.json
    assert set(summary) == KEYS
    assert (summary["state"], summary["error"]) == (State.DONE, None)
    low, high = summary["accuracy_interval"]
    assert 0 < low < summary["accuracy"] < high < 1
    assert summary["seconds"] > 0
    assert summary["trainable_parameters"] == 20_496


def test_runs_lists_what_train_made(default_run: Finished) -> None:
    line = CommandLine(default_run.home)
    (listed,) = line.run("runs", "--json").json
    assert {key: listed[key] for key in KEYS} == default_run.json
    spec = RunSpec.parse(listed["spec"])
    assert (spec.dataset.name, spec.backbone.name, spec.strategy.name) == ("photo_patches", "efficientnet_lite0", "linear_probe")
    table = line.run("runs", COLUMNS="200").out
    for text in (listed["run_id"], State.DONE, "photo_patches", "efficientnet_lite0", "linear_probe", "20,496"):
        assert text in table


def test_runs_where_there_are_none(line: CommandLine) -> None:
    assert line.run("runs", "--json").json == []
    assert "No runs yet" in line.run("runs").out


def test_a_run_file_an_option_and_a_setting(line: CommandLine, tmp_path: Path) -> None:
    """The file says digits, 3 labels and seed 5; the options change two of these."""
    images = write_images(tmp_path / "pets", each=8)
    spec = QUICK.with_settings({"dataset": "digits", "dataset.labels_per_class": 3, "seed": 5})
    file = write(tmp_path / "run.json", spec.model_dump_json())
    arguments = (
        "--spec",
        file,
        "--dataset",
        "image_folder",
        "--set",
        f"dataset.path={images}",
        "--set",
        "dataset.labels_per_class=2",
    )
    done = line.run("train", *arguments, "--set", "image_size=24")
    assert (done.code, done.err.strip()) == (0, "")
    (run,) = Store(line.home).runs()
    assert (run.spec.dataset.name, run.spec.seed, run.spec.image_size) == ("image_folder", 5, 24)
    assert run.spec.dataset.settings["labels_per_class"] == 2
    assert (run.spec.backbone.name, run.spec.backbone.settings["width"]) == ("small_cnn", 4)
    headline = done.out.splitlines()
    assert headline[0] == f"Run {run.id}"
    assert headline[1].startswith("Test accuracy ")
    assert headline[1].endswith(f" of {run.test_images} images, 95% interval")
    assert headline[2].endswith(" parameters trained")


def test_a_folder_of_images(line: CommandLine, tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets", classes=3, each=16)
    settings = (f"dataset.path={images}", "dataset.labels_per_class=10", "image_size=96", "seed=0")
    options = [part for setting in settings for part in ("--set", setting)]
    done = line.run("train", "--dataset", "image_folder", *options, "--json")
    assert done.code == 0
    assert done.json["accuracy"] > 0.8  # the classes differ in nothing but their brightness
    assert done.json["trainable_parameters"] == 1280 * 3 + 3


def test_a_mistake_that_only_the_run_finds(line: CommandLine, tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    for image in images.glob("class1/*.png"):
        image.write_bytes(b"not an image at all: " + str(image).encode())
    done = line.run("train", "--dataset", "image_folder", "--set", f"dataset.path={images}", *TINY, "--json")
    assert done.code == 2
    assert done.json["state"] == State.FAILED
    assert "class1" in done.json["error"]
    assert ".png" in done.json["error"]
    assert "Traceback" not in done.out + done.err


def test_interrupting_train_stops_its_run(line: CommandLine) -> None:
    train = line.start("train", *settings_arguments(ENDLESS), "--json")
    store = Store(line.home)
    run = wait_until(lambda: next((run for run in store.runs() if run.state is State.RUNNING), None))
    train.send_signal(signal.SIGINT)
    out, err = train.communicate(timeout=30)
    finished = Finished(train.returncode, out, err, line.home)
    assert (finished.code, finished.json["state"], finished.json["run_id"]) == (130, State.CANCELLED, run.id)
    assert "Traceback" not in err


MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown dataset": (["--dataset", "digit"], "There is no dataset of that name. Did you mean digits?"),
    "unknown backbone": (["--backbone", "efficientnet_lite1"], "Did you mean efficientnet_lite0?"),
    "unknown strategy": (["--strategy", "linear_prob"], "Did you mean linear_probe?"),
    "a name like nothing": (["--strategy", "zzz"], "Known: "),
    "unknown setting": (["--set", "sed=1"], "There is no setting sed."),
    "unknown setting of a part": (
        ["--set", "strategy.epoch=1"],
        "There is no setting strategy.epoch. Known settings here: epochs",
    ),
    "out of range": (["--set", "strategy.epochs=0"], "The setting strategy.epochs should be greater than or equal to 1."),
    "no number": (["--set", "image_size=big"], "The setting image_size should be a valid integer"),
    "no equals sign": (["--set", "image_size"], "A setting is written name=value."),
    "no name": (["--set", "=3"], "There is no setting"),
    "too small": (["--set", "image_size=16"], "EfficientNet-Lite0 needs images of at least 32 pixels."),
    "never pretrained": (["--backbone", "article_mlp"], "has no pretrained weights, so there is nothing to transfer."),
    "weights missing": (["--backbone", "keras_applications"], "The weights of MobileNetV2 are not on this machine"),
    "spec missing": (["--spec", "{tmp}/no.json"], "The run file cannot be read"),
    "spec is a folder": (["--spec", "{tmp}"], "The run file cannot be read"),
    "spec is no JSON": (["--spec", "{tmp}/text.json"], "The run file cannot be read"),
    "spec is no object": (["--spec", "{tmp}/list.json"], "A run file holds one JSON object."),
    "spec of something else": (["--spec", "{tmp}/other.json"], "There is no setting colour."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(line: CommandLine, tmp_path: Path, name: str) -> None:
    for file, content in (("text", "colour: red"), ("list", "[1, 2]"), ("other", '{"colour": "red"}')):
        write(tmp_path / f"{file}.json", content)
    arguments, sentence = MISTAKES[name]
    done = line.run("train", *(argument.format(tmp=tmp_path) for argument in arguments))
    require_one_sentence(done, sentence)
    assert Store(line.home).runs() == []


def require_one_sentence(done: Finished, sentence: str) -> None:
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    assert sentence in done.err


def test_a_mistake_as_json(line: CommandLine) -> None:
    done = line.run("train", "--dataset", "digit", "--json")
    assert (done.code, done.err) == (2, "")
    assert set(done.json) == KEYS
    assert "Did you mean digits?" in done.json["error"]
    assert [value for key, value in done.json.items() if key != "error"] == [None] * 6


@pytest.mark.parametrize(
    "arguments",
    [["trian"], ["train", "--colour", "red"], ["train", "--set"], ["runs", "--colour"], ["train", "stray"]],
    ids=" ".join,
)
def test_what_the_command_line_does_not_know(line: CommandLine, arguments: list[str]) -> None:
    done = line.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error" in done.err
    assert "Traceback" not in done.err


FOLDERS: dict[str, tuple[Any, str]] = {
    "missing": (lambda folder: None, "This folder does not exist."),
    "empty": (lambda folder: folder.mkdir(), "There are no images in class folders here."),
    "one class": (lambda folder: write_images(folder, classes=1), "A classifier needs at least two classes"),
    "a file": (lambda folder: folder.write_text("not a folder"), "This is a file, and a folder is needed."),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_no_dataset(line: CommandLine, tmp_path: Path, kind: str) -> None:
    make, sentence = FOLDERS[kind]
    make(tmp_path / "pets")
    done = line.run("train", "--dataset", "image_folder", "--set", f"dataset.path={tmp_path / 'pets'}", *TINY)
    require_one_sentence(done, sentence)
    assert Store(line.home).runs() == []


def test_parts_lists_every_setting(line: CommandLine) -> None:
    done = line.run("parts")
    assert (done.code, done.err) == (0, "")
    for text in (
        "dataset photo_patches",
        "backbone efficientnet_lite0",
        "strategy fine_tuning",
        "--set dataset.labels_per_class=10",
    ):
        assert text in done.out


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    done = CommandLine(write(tmp_path / "file", "")).run("train")
    require_one_sentence(done, "Runs cannot be stored")
