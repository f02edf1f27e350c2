"""`python -m tl_core` as people and scripts use it. What is only text and an exit code is called in this process."""

import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.helpers import (
    ENDLESS,
    FEW_CROPS,
    HANGS_SECONDS,
    QUICK,
    CommandLine,
    Finished,
    settings_arguments,
    wait_until,
    write_images,
)
from tests.tools.crashing import short_training
from tests.tools.immediate import immediate
from tl_core.executors import LOG
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.spec import RunSpec

__all__ = ["immediate"]

KEYS = {
    *("run_id", "state", "accuracy", "accuracy_interval", "metrics", "seconds", "trainable_parameters", "error"),
    *("waiting_seconds", "running_seconds", "priority", "attempts", "device", "unreadable"),
    *("name", "tags", "starred", "archived", "note", "disk_bytes", "repeats", "left_at"),
}
ENDING = KEYS | {"notes", "warnings", "evaluations", "thresholds"}
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
    assert set(summary) == ENDING
    assert summary["notes"] == summary["warnings"] == []
    assert (summary["state"], summary["error"]) == (State.DONE, None)
    low, high = summary["accuracy_interval"]
    assert 0 < low < summary["accuracy"] < high < 1
    assert summary["seconds"] > 0
    assert summary["trainable_parameters"] == 20_496
    assert (summary["priority"], summary["attempts"], summary["device"]) == (0, 1, "cpu")
    assert summary["waiting_seconds"] > 0
    assert summary["running_seconds"] >= summary["seconds"] * 0.9


def test_runs_lists_what_train_made(default_run: Finished) -> None:
    line = CommandLine(default_run.home)
    (listed,) = line.call("runs", "--json").json
    measured = {"disk_bytes": listed["disk_bytes"]}  # after the process of the run had left
    assert measured["disk_bytes"] > 1e6
    assert listed | {"notes": [], "warnings": [], "thresholds": []} == listed | default_run.json | measured
    assert set(listed) >= KEYS
    spec = RunSpec.parse(listed["spec"])
    assert (spec.dataset.name, spec.backbone.name, spec.strategy.name) == ("photo_patches", "efficientnet_lite0", "linear_probe")
    table = line.call("runs", COLUMNS="200").out
    for text in (listed["run_id"], State.DONE, "Photo patches", "efficientnet_lite0", "linear_probe", "20,496"):
        assert text in table


def test_runs_where_there_are_none(line: CommandLine) -> None:
    assert line.call("runs", "--json").json == []
    assert "No runs yet" in line.call("runs").out


@pytest.mark.usefixtures("immediate")
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
    done = line.call("train", *arguments, "--set", "image_size=24")
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


@pytest.mark.process
def test_a_folder_of_images(line: CommandLine, tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets", classes=3, each=16)
    settings = (f"dataset.path={images}", "dataset.labels_per_class=10", "image_size=96", "seed=0")
    options = [part for setting in settings for part in ("--set", setting)]
    done = line.run("train", "--dataset", "image_folder", *options, "--json")
    assert done.code == 0
    assert done.json["accuracy"] > 0.8  # the classes differ in nothing but their brightness
    assert done.json["trainable_parameters"] == 1280 * 3 + 3


@pytest.mark.usefixtures("immediate")
def test_a_mistake_that_only_the_run_finds(line: CommandLine, tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    for image in images.glob("class1/*.png"):
        image.write_bytes(b"not an image at all: " + str(image).encode())
    done = line.call("train", "--dataset", "image_folder", "--set", f"dataset.path={images}", *TINY, "--json")
    assert done.code == 2
    assert done.json["state"] == State.FAILED
    assert "class1" in done.json["error"]
    assert ".png" in done.json["error"]
    assert "Traceback" not in done.out + done.err


@pytest.mark.process
def test_interrupting_train_stops_its_run(line: CommandLine) -> None:
    train = line.start("train", *settings_arguments(ENDLESS), "--json")
    store = Store(line.home)
    run = wait_until(lambda: next((run for run in store.runs() if run.state is State.RUNNING), None))
    train.send_signal(signal.SIGINT)
    out, err = train.communicate(timeout=HANGS_SECONDS)
    finished = Finished(train.returncode, out, err, line.home)
    assert (finished.code, finished.json["state"], finished.json["run_id"]) == (130, State.CANCELLED, run.id)
    assert "Traceback" not in err


@pytest.fixture
def quick_line(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Runs without Keras: what is tested is what people ask of them."""
    short_training(monkeypatch)
    return line


def queued(line: CommandLine, spec: RunSpec = ENDLESS, *options: str) -> str:
    done = line.call("train", *settings_arguments(spec), "--no-wait", *options)
    assert (done.code, done.err) == (0, "")
    return done.out.strip()


@pytest.mark.process
def test_a_run_is_held_resumed_followed_and_cancelled(quick_line: CommandLine) -> None:
    line, store = quick_line, Store(quick_line.home)
    run_id = queued(line)
    wait_until(lambda: store.events(run_id, "epoch"))
    paused = line.call("pause", run_id[-6:])  # the end of an id will do
    assert (paused.code, paused.out) == (0, "")
    assert paused.err.startswith(f"Run {run_id} is paus")
    wait_until(lambda: store.run(run_id).state is State.PAUSED)
    seen = line.call("watch", run_id)
    assert (seen.code, seen.err) == (0, f"Run {run_id} is paused.\n")
    assert line.call("resume", run_id).err.startswith(f"Run {run_id} is ")
    wait_until(lambda: store.run(run_id).state is State.RUNNING)
    watching = line.start("watch", run_id, "--json")
    wait_until(lambda: store.events(run_id, "resumed"))
    assert line.call("cancel", run_id).code == 0
    out, err = watching.communicate(timeout=HANGS_SECONDS)
    end = Finished(watching.returncode, out, err, line.home)
    assert (end.code, end.err, end.json["state"], end.json["attempts"]) == (130, "", State.CANCELLED, 2)
    for command in ("pause", "cancel"):
        require_one_sentence(line.call(command, run_id), "it is cancelled already. Received: ")


@pytest.mark.process
def test_whoever_watches_leaves_the_run_alone(quick_line: CommandLine) -> None:
    store = Store(quick_line.home)
    run_id = queued(quick_line)
    wait_until(lambda: store.events(run_id, "step"))
    watching = quick_line.start("watch", run_id)
    wait_until(lambda: any("store.sqlite" in file.path for file in psutil.Process(watching.pid).open_files()))
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=HANGS_SECONDS)
    assert (out, err.splitlines()[-1]) == ("", "The run goes on.")
    assert store.run(run_id).state is State.RUNNING


@pytest.mark.process
def test_the_queue_is_shown_and_changed(quick_line: CommandLine) -> None:
    line, store = quick_line, Store(quick_line.home)
    assert "Nothing runs and nothing waits" in line.call("queue").out
    first = queued(line)
    wait_until(lambda: store.events(first, "step"))
    names = [queued(line, QUICK, "--priority", priority) for priority in ("low", "normal", "high")]
    shown = line.call("queue", "--json").json
    assert [run["run_id"] for run in shown] == [first, *reversed(names)]
    assert [run["state"] for run in shown] == [State.RUNNING] + [State.QUEUED] * 3
    line.call("queue", names[0], "--place", "1")
    table = line.call("queue", names[2], "--priority", "low").out
    rows = [row.split() for row in table.splitlines()[1:]]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
    assert [row[1] for row in rows[1:]] == [names[0], names[1], names[2]]
    assert [row[3] for row in rows[1:]] == ["high", "normal", "low"]
    require_one_sentence(line.call("queue", first, "--place", "1"), "cannot be moved in the queue: it is running already")
    require_one_sentence(line.call("queue", "--place", "1"), "A place or a priority is one run's.")
    wrong = line.call("queue", names[0], "--priority", "urgent")
    assert wrong.code == 2
    assert "low, normal, high" in wrong.err


@pytest.mark.usefixtures("immediate")
def test_the_same_again_with_one_setting_changed(quick_line: CommandLine) -> None:
    store = Store(quick_line.home)
    first = queued(quick_line, QUICK)
    done = quick_line.call("train", "--like", first, "--set", "seed=4", "--json")
    assert done.code == 0
    assert store.run(done.json["run_id"]).spec == store.run(first).spec.model_copy(update={"seed": 4})
    require_one_sentence(quick_line.call("train", "--like", "nobody"), "There is no run of that id here")


@pytest.mark.usefixtures("immediate")
def test_the_log_of_a_run(quick_line: CommandLine) -> None:
    run_id = queued(quick_line, QUICK)
    wait_until(lambda: Store(quick_line.home).run(run_id).state is State.DONE)
    log = Store(quick_line.home).folder(run_id) / LOG
    log.write_text("".join(f"line {number}\n" for number in range(300)))
    assert quick_line.call("logs", run_id, "--lines", "2").out == "line 298\nline 299\n"
    assert quick_line.call("logs", run_id, "--follow").out.count("\n") == 200
    require_one_sentence(quick_line.call("logs", "nobody"), "There is no run of that id here")


@pytest.mark.process
def test_a_log_is_followed_until_the_run_ends(quick_line: CommandLine) -> None:
    store = Store(quick_line.home)
    run_id = queued(quick_line)
    wait_until(lambda: store.events(run_id, "step"))
    following = quick_line.start("logs", run_id, "--follow")
    assert following.stdout
    with (store.folder(run_id) / LOG).open("a") as log:
        log.write("a word\n")
    assert "a word\n" in iter(following.stdout.readline, "")  # the run may still say something before it
    quick_line.call("cancel", run_id)
    assert following.communicate(timeout=HANGS_SECONDS)[1] == ""


MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown dataset": (["--dataset", "digit"], "There is no dataset of that name. Did you mean digits?"),
    "unknown backbone": (["--backbone", "efficientnet_lit0"], "Did you mean efficientnet_lite0?"),
    "unknown strategy": (["--strategy", "linear_prob"], "Did you mean linear_probe?"),
    "a name like nothing": (["--strategy", "zzz"], "Known: "),
    "unknown setting": (["--set", "sed=1"], "There is no setting sed."),
    "unknown setting of a part": (
        ["--set", "strategy.epoch=1"],
        "There is no setting strategy.epoch. Known settings here: balanced, solver, strength, normalise.",
    ),
    "out of range": (
        ["--strategy", "lp_ft", "--set", "strategy.epochs=0"],
        "The setting strategy.epochs should be greater than or equal to 1.",
    ),
    "no number": (["--set", "image_size=big"], "The setting image_size should be a valid integer"),
    "no equals sign": (["--set", "image_size"], "A setting is written name=value."),
    "no name": (["--set", "=3"], "There is no setting"),
    "too small": (["--set", "image_size=16"], "EfficientNet-Lite0 needs images of at least 32 px."),
    "never pretrained": (["--backbone", "article_mlp"], "has no pretrained weights, so there is nothing to transfer."),
    "weights missing": (["--backbone", "keras_applications"], "The weights of MobileNetV2 are not on this machine"),
    "two models to follow": (["--spec", "run.json", "--like", "a"], "Settings can be taken from a file or from a run"),
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
    done = line.call("train", *(argument.format(tmp=tmp_path) for argument in arguments))
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
    assert "Did you mean digits?" in done.json["error"]
    assert set(done.json) == ENDING
    assert [value for key, value in done.json.items() if key != "error"] == [None] * (len(ENDING) - 1)


@pytest.mark.parametrize(
    "arguments",
    [["trian"], ["train", "--colour", "red"], ["train", "--set"], ["runs", "--colour"], ["train", "stray"]],
    ids=" ".join,
)
def test_what_the_command_line_does_not_know(line: CommandLine, arguments: list[str]) -> None:
    done = line.call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error" in done.err
    assert "Traceback" not in done.err
    as_json = line.call(arguments[0], "--json", *arguments[1:])
    assert (as_json.code, as_json.err, set(as_json.json)) == (2, "", ENDING)
    assert as_json.json["error"]


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
    done = line.call("train", "--dataset", "image_folder", "--set", f"dataset.path={tmp_path / 'pets'}", *TINY)
    require_one_sentence(done, sentence)
    assert Store(line.home).runs() == []


def test_parts_lists_every_setting(line: CommandLine) -> None:
    done = line.call("parts")
    assert (done.code, done.err) == (0, "")
    for text in (
        "dataset photo_patches",
        "backbone efficientnet_lite0",
        "strategy fine_tuning",
        "--set dataset.labels_per_class=10",
    ):
        assert text in done.out


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    done = CommandLine(write(tmp_path / "file", "")).call("train")
    require_one_sentence(done, "Runs cannot be stored")


@pytest.mark.process
def test_what_if(line: CommandLine) -> None:
    few = [*settings_arguments(RunSpec().with_settings(FEW_CROPS)), "--set", "image_size=32", "--labels", "1,2", "--seeds", "2"]
    told = line.run("what-if", *few, "--strengths", "chosen,10")
    assert told.code == 0, told.err
    assert "8 answers in" in told.out
    points = line.run("what-if", *few, "--strengths", "chosen,10", "--json").json["points"]
    asked = [(point["labels"], point["strength"], len(point["draws"])) for point in points]
    assert asked == [(1, None, 2), (1, 10.0, 2), (2, None, 2), (2, 10.0, 2)]
    require_one_sentence(line.run("what-if", "--labels", "none"), "These are no positive numbers.")
    require_one_sentence(line.run("what-if", *few, "--labels", "all"), "labels_per_class")


@pytest.mark.usefixtures("immediate")
def test_the_cache_is_looked_at_and_cleared(line: CommandLine) -> None:
    run = line.call("train", *settings_arguments(QUICK), "--json")
    assert run.code == 0, run.err
    small = {"TRANSFER_LAB_CACHE_GB": "1"}
    before = line.call("cache", "--json", **small).json
    assert before["folder"] == str(line.home / "cache")
    assert 0 < before["bytes"] < before["limit_bytes"] == 10**9
    assert "of at most 1.0 GB in" in line.call("cache", **small).out
    cleared = line.call("cache", "--clear", "--json", **small).json
    assert cleared == before | {"bytes": 0, "removed_bytes": before["bytes"]}
    require_one_sentence(line.call("cache", TRANSFER_LAB_CACHE_GB="much"), "TRANSFER_LAB_CACHE_GB is no positive number.")
