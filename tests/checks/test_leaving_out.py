"""What the command line says of broken images and copies, and how it leaves them out: as the page's button does."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.helpers import write_images
from tl_core.__main__ import app
from tl_core.checks.report import BROKEN, COPIES
from tl_core.checks.scan import examine
from tl_core.data import exclusions
from tl_core.datasets.image_folder import ImageFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of 12, with two broken images, a copy in its own class and one in another."""
    folder = write_images(tmp_path / "data", each=12, size=48)
    first, second, _ = sorted(each for each in folder.iterdir() if each.is_dir())
    (first / "broken.png").write_bytes(b"no image")
    (second / "torn.png").write_bytes(next(iter(sorted(second.iterdir()))).read_bytes()[:60])
    images = sorted(first.glob("*.png"))
    shutil.copy(images[0], first / "twin.png")
    shutil.copy(images[1], second / "elsewhere.png")
    return folder


def examined(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["examine", "--dataset", "image_folder", "--set", f"dataset.path={folder}", *more])


def told(folder: Path, *more: str) -> str:
    done = examined(folder, *more)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def as_json(folder: Path, *more: str) -> Any:
    return json.loads(told(folder, *more, "--json"))


def test_the_first_broken_image_is_named_and_where_all_are(folder: Path) -> None:
    text = told(folder)
    listed = as_json(folder)["broken"]
    names = [each["member"][2] for each in listed]
    assert len(names) == 2
    assert "2 images cannot be read, and a run would stop there." in text
    assert f"The first is {names[0]}, in " in text
    assert listed[0]["reason"] in text
    assert "With --json all of them are named. Leave them out with --leave-out broken,copies,conflicts." in text


def test_copies_and_conflicts_are_named_as_well(folder: Path) -> None:
    text = told(folder)
    copies = next(line for line in text.splitlines() if "count twice and teach nothing new" in line)
    conflicts = next(line for line in text.splitlines() if "an exact copy under another label" in line)
    assert "For example " in copies
    assert "twin.png (" in copies
    assert "elsewhere.png (" in conflicts


@pytest.mark.parametrize("kinds", [(BROKEN,), (BROKEN, COPIES)])
def test_leaving_out_does_what_the_button_does(folder: Path, kinds: tuple[str, ...], home: Path) -> None:
    dataset = ImageFolder(path=folder)
    report = examine(dataset.read(0), lambda *_: None)
    listed = exclusions.keep(home / "other", report.to_leave_out(*kinds))
    text = told(folder, "--leave-out", ",".join(kinds))
    done = f"Left out: {1 + len(kinds)} of 40 images. Use the others with --set dataset.left_out={listed}"
    assert done in text.splitlines()
    assert exclusions.kept(home, listed) == report.to_leave_out(*kinds)
    rest = dataset.model_copy(update={"left_out": listed}).load(0)
    assert sum(map(len, rest.splits.values())) == report.examined - 1 - len(kinds)
    assert as_json(folder, "--leave-out", " , ".join(kinds))["left_out"] == listed


def test_nothing_is_left_out_unasked_or_where_there_is_nothing(folder: Path, home: Path) -> None:
    assert as_json(folder)["left_out"] is None
    sound = write_images(folder.parent / "sound", each=12, size=48)
    assert "There is nothing of these kinds to leave out." in told(sound, "--leave-out", "broken")
    assert "--leave-out" not in told(sound)
    assert not (home / "left_out").exists()


@pytest.mark.parametrize("kinds", ["damaged", "", "broken,", "broken copies"])
def test_other_kinds_are_a_mistake(folder: Path, kinds: str) -> None:
    done = examined(folder, "--leave-out", kinds)
    assert done.exit_code == 2
    assert "There is no such kind to leave out. Name some of broken,copies,conflicts." in done.stderr
