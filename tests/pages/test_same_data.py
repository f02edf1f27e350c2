"""Compare and Result say of which runs the data are the same under two names, and of which they differ under one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.analysis.test_convergence import PROBE
from tests.analysis.test_convergence import result as stored_result
from tests.helpers import QUICK, keep_run, write_images
from tests.tools.pages import errors, opened
from tests.tools.short_training import outcome
from tl_core.datasets.image_folder import ImageFolder
from tl_core.runs import artifacts
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import steps

ROSES, SAME, OTHER = (f"20260101-00000{number}-aaaaaa" for number in range(3))


def finished(run_id: str, folder: Path) -> None:
    """A run on the images in `folder`, with their digests."""
    dataset = ImageFolder(path=folder)
    data, store = dataset.load(0), Store()
    digests = {"data_digest": data.digest(), "test_digest": data.test.digest(), "class_names": ("a", "b"), "test_images": 4}
    kept = stored_result(PROBE).model_copy(update=digests)
    keep_run(store, run_id, State.DONE, QUICK.model_copy(update={"dataset": dataset.spec()}), **artifacts.summary(kept))
    store.folder(run_id).mkdir(parents=True, exist_ok=True)
    artifacts.write_outcome(store.folder(run_id), replace(outcome(4, 0), result=kept))


@pytest.fixture
def three(nothing_cached: None, tmp_path: Path) -> None:
    """A folder, its copy under another name, and another one of its name with more images."""
    folder = write_images(tmp_path / "a" / "roses", classes=2)
    shutil.copytree(folder, tmp_path / "copy")
    write_images(tmp_path / "b" / "roses", classes=2, each=9)
    for run_id, place in ((ROSES, folder), (SAME, tmp_path / "copy"), (OTHER, tmp_path / "b" / "roses")):
        finished(run_id, place)


def said(app: AppTest) -> list[str]:
    assert not errors(app)
    texts = [caption.value.replace("\\", "") for caption in app.caption]
    return [text.removeprefix(":material/fingerprint: ") for text in texts if text.startswith(":material/fingerprint:")]


def test_the_result_page_says_it(three: None, tmp_path: Path) -> None:
    told = sorted(said(opened(steps.RESULT.script, run=ROSES)))
    place, copy, other = (tmp_path / name for name in ("a/roses", "copy", "b/roses"))
    assert told == [
        f"Two datasets are called roses: that from {place}, and that from {other}. Their test images differ, so that the runs "
        "cannot be compared image by image.",
        f"roses ({place}) and copy ({copy}) hold the same content: each of their images is the same, by its sha256.",
    ]
    assert len(said(opened(steps.RESULT.script, run=SAME))) == 1


def test_compare_says_it_of_each_two(three: None) -> None:
    assert len(said(opened(steps.COMPARE.script, runs=f"{ROSES},{SAME},{OTHER}"))) == 2
    assert not said(opened(steps.COMPARE.script, runs=f"{SAME},{OTHER}"))
    assert not said(opened(steps.COMPARE.script, runs=ROSES))


def test_a_folder_that_changed_between_two_runs_is_told(nothing_cached: None, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "roses", classes=2)
    finished(ROSES, folder)
    shutil.rmtree(folder)
    finished(OTHER, write_images(folder, classes=2, each=9))
    (told,) = said(opened(steps.RESULT.script, run=ROSES))
    assert told.startswith("roses has changed between two runs. Their test images differ")
