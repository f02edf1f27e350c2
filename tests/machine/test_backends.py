"""The user's environment and keras.json: what a run relies on it sets; what it cannot do without is said before it is queued."""

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helpers import QUICK, CommandLine, python
from tests.tools.pages import nothing_cached, opened
from tl_core.__main__ import app
from tl_core.errors import SettingError
from tl_core.events import Event
from tl_core.machine import backends
from tl_core.runner import service
from tl_core.runner.warm_worker import WarmWorker
from tl_core.runs.store import Store
from tl_core.spec import RunSpec
from tl_core.system import settings
from tl_core.system.settings import SPARE_VARIABLE
from tl_core.ui import steps

__all__ = ["nothing_cached"]  # a fixture that is used by its effect

TO_ANOTHER = f"export {backends.BACKEND_VARIABLE}=tensorflow"


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "keras home"
    folder.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.delenv(backends.BACKEND_VARIABLE, raising=False)
    return folder


def write(folder: Path, content: object) -> None:
    (folder / "keras.json").write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"floatx": "float16", "epsilon": 0.0, "image_data_format": "channels_first", "backend": "tensorflow"},
        {"floatx": "float64", "nnx_enabled": False, "somebody": "else"},
        "no JSON",
        "",
    ],
    ids=str,
)
def test_what_keras_takes_is_taken(keras_home: Path, content: object) -> None:
    write(keras_home, content)
    backends.require_importable()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": "1e-7"}, "epsilon"),
        ({"floatx": "bfloat16"}, "floatx"),
        ({"image_data_format": "channels_middle"}, "image_data_format"),
        ({"backend": None}, "backend"),
        ([], "dictionary"),
    ],
    ids=str,
)
def test_a_file_with_which_keras_cannot_be_imported_is_said(keras_home: Path, content: object, why: str) -> None:
    write(keras_home, content)
    with pytest.raises(SettingError, match=rf"settings file \(.*{why}.*\)\. Correct it, or take it away: mv '.*/keras.json' "):
        backends.require_importable()


def test_a_file_that_cannot_be_read_is_said(keras_home: Path) -> None:
    (keras_home / "keras.json").mkdir()
    with pytest.raises(SettingError, match="settings file"):
        backends.require_importable()


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_of_keras_that_cannot_be_written_does_no_harm(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / folder / "below"))
    monkeypatch.delenv(backends.BACKEND_VARIABLE, raising=False)
    backends.require_importable()


MISSING = {"jax": "pip install -r requirements-backends.txt", "tensorflow": "pip install -r requirements.txt"}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("place", ["file", "variable"])
def test_a_backend_that_is_not_installed_is_said_with_the_line_that_mends_it(
    keras_home: Path, name: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    if place == "file":
        write(keras_home, {"backend": name})
    else:
        monkeypatch.setenv(backends.BACKEND_VARIABLE, name)
    with pytest.raises(SettingError) as told:
        backends.require_importable()
    assert f"backend {name} is not installed" in str(told.value)
    assert MISSING[name] in str(told.value)
    assert TO_ANOTHER in str(told.value)


@pytest.mark.parametrize("name", ["numpy", "openvino", "theano", "TensorFlow"])
def test_a_backend_that_cannot_train_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.BACKEND_VARIABLE, name)
    with pytest.raises(SettingError, match=f"tensorflow, jax, torch.*{TO_ANOTHER}.*Received: KERAS_BACKEND={name}"):
        backends.require_importable()


def test_the_variable_counts_and_not_the_file(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(keras_home, {"backend": "theano"})
    monkeypatch.setenv(backends.BACKEND_VARIABLE, "tensorflow")
    backends.require_importable()


def test_a_folder_that_is_called_like_a_backend_is_none(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    (keras_home / "jax").mkdir()
    monkeypatch.setattr(sys, "path", [str(keras_home)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.setenv(backends.BACKEND_VARIABLE, "jax")
    with pytest.raises(SettingError, match="jax is not installed"):
        backends.require_importable()


@pytest.mark.parametrize("variable", backends.LIMITS)
def test_a_limit_that_is_no_number_is_said(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "few")
    with pytest.raises(SettingError, match=f"unset {variable}"):
        backends.require_importable()


def test_a_home_that_cannot_be_written_is_not_keras_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert settings.keras_home() == Path("/tmp/.keras")


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(backends.BACKEND_VARIABLE, "theano")
    return "Networks are trained with one of Keras' backends tensorflow, jax, torch."


@pytest.mark.parametrize("command", [["train", "--json"], ["what-if", "--json"]], ids=" ".join)
def test_the_command_line_says_it_before_anything_is_queued(wrong: str, command: list[str]) -> None:
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"].startswith(wrong)
    assert not Store().runs()


def test_a_run_on_another_machine_has_an_environment_of_its_own(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tl_core.recipe import Recipe

    Recipe.of(RunSpec().with_settings({"executor": "ray"})).require_runnable()
    with pytest.raises(SettingError, match=wrong):
        Recipe.of(RunSpec()).require_runnable()


@pytest.mark.usefixtures("nothing_cached")
def test_the_page_says_it_before_anything_is_queued(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ensure", lambda home: pytest.fail("a runner"))
    shown = opened(steps.STRATEGY.script)
    assert any(wrong in caption.value.replace("\\", "") for caption in shown.caption)
    shown.button(key="start").click().run()
    assert not shown.exception
    assert wrong in shown.error[-1].value.replace("\\", "")
    assert not Store().runs()


def test_no_spare_is_started_that_would_fall_over(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, "1")
    assert not WarmWorker.affordable()


def test_a_run_sets_what_it_relies_on() -> None:
    import keras

    from tl_core.precision import Precision
    from tl_core.training.train import train

    told: list[Event] = []
    try:
        keras.config.set_image_data_format("channels_first")
        keras.config.set_floatx("float16")
        keras.config.set_epsilon(0.5)
        keras.config.set_dtype_policy("float16")
        assert train(QUICK, told.append).result.test_images
        config = keras.config
        assert (config.image_data_format(), config.floatx(), config.epsilon()) == ("channels_last", "float32", 1e-7)
    finally:
        backends.compute_in(Precision.FLOAT32)


WITHOUT_DOCSTRINGS = """
import tl_core.__main__
from typer.testing import CliRunner
from tl_core import datasets, strategies
assert not datasets.Dataset.__doc__
parts = [*datasets.datasets.parts().values(), *strategies.strategies.parts().values()]
print([part.__name__ for part in parts if not part.about()])
print(strategies.strategies.part("linear_probe").summary())
print(CliRunner().invoke(tl_core.__main__.app, ["train", "--help"]).output)
"""


def test_help_is_there_where_python_drops_docstrings() -> None:
    done = python(WITHOUT_DOCSTRINGS, PYTHONOPTIMIZE="2")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "[]"
    assert len(lines[1]) > 20
    assert "Train one model in a process of its own" in done.out


@pytest.mark.process
def test_the_default_job_is_done_whatever_the_environment_says(keras_home: Path, home: Path) -> None:
    write(keras_home, {"floatx": "float16", "epsilon": 0.0, "image_data_format": "channels_first"})
    done = CommandLine(home).run("train", "--json", PYTHONOPTIMIZE="2", PYTHONWARNINGS="error")
    assert (done.json["state"], done.code) == ("done", 0), done.json["error"]
    assert done.json["accuracy"] > 0.8
    (result,) = home.glob("runs/*/result.json")
    assert "OpenVINO, float32" in result.read_text()


@pytest.mark.process
def test_a_stored_run_with_another_environment_says_what_is_wrong_with_it(home: Path) -> None:
    store = Store()
    folder = store.new_folder()
    store.create(folder.name, QUICK, environment={backends.BACKEND_VARIABLE: "theano"})
    told = CommandLine(home).run("watch", folder.name, "--json")
    assert told.code == 2
    assert "Networks are trained with one of Keras' backends" in told.json["error"]


IN_ORDER = """
import sys
from tl_core.spec import RunSpec
from tl_core.training.train import train
from tensorflow.python.framework import config
strategy = {"name": "from_scratch", "epochs": 1}
spec = RunSpec.parse({"dataset": "digits", "backbone": "small_cnn", "strategy": strategy, "image_size": 16})
for deterministic in (False, True, True):
    found = train(spec.with_settings({"deterministic": deterministic}), lambda event: None)
    print(config.is_op_determinism_enabled(), found.result.weights_digest)
"""
"""Trains without and, twice, with deterministic operations, and says whether TensorFlow computes in a fixed order."""


@pytest.mark.process
def test_a_run_computes_in_a_fixed_order_where_it_is_to(home: Path) -> None:
    done = python(IN_ORDER)
    assert done.code == 0, done.err
    in_order, digests = zip(*(line.split() for line in done.out.splitlines()[-3:]), strict=True)
    assert in_order == ("False", "True", "True")
    assert digests[1] == digests[2]
