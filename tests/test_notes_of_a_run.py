"""What a run says of its data reaches whoever waits for it on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helpers import CommandLine, keep_run, write_images
from tests.tools.short_training import outcome
from tl_core.__main__ import app
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store

NOTES = ("Classes without a training image: [c].", "Classes without a test image: c.")


@pytest.fixture
def run(home: Path) -> str:
    """A run whose data had those notes, stored as sentences by an earlier version."""
    store, result = Store(), outcome(4, 0).result
    keep_run(store, "a", State.DONE, **artifacts.summary(result))
    store.folder("a").mkdir(parents=True, exist_ok=True)
    (store.folder("a") / artifacts.RESULT).write_text(json.dumps(result.model_dump(mode="json") | {"notes": NOTES}))
    return "a"


def test_notes_are_printed(run: str) -> None:
    done = CliRunner().invoke(app, ["watch", run])
    assert done.exit_code == 0
    assert done.output.splitlines()[-2:] == [f"Note: {note}" for note in NOTES]


def test_notes_are_in_the_json(run: str) -> None:
    assert json.loads(CliRunner().invoke(app, ["watch", run, "--json"]).output)["notes"] == list(NOTES)


def test_a_run_that_has_not_ended_well_has_none(home: Path) -> None:
    keep_run(Store(), "b", State.FAILED, error="It failed.")
    assert json.loads(CliRunner().invoke(app, ["watch", "b", "--json"]).output)["notes"] == []
    assert "Note" not in CliRunner().invoke(app, ["watch", "b"]).output


@pytest.mark.process
def test_train_says_that_a_class_is_gone(home: Path, tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", classes=3, each=8)
    for file in (images / "class2").iterdir():
        file.unlink()
    tiny = ("--backbone", "small_cnn", "--strategy", "from_scratch", "--set", "strategy.epochs=1", "--set", "image_size=16")
    done = CommandLine(home).run("train", *tiny, "--dataset", "image_folder", "--set", f"dataset.path={images}", "--json")
    assert done.code == 0
    assert done.json["notes"] == ["Class folders without an image: 1 left out (class2)."]
