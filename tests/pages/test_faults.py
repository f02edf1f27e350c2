"""A bug in what reads a dataset: every page opens all the same, says so, and lets another dataset be chosen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.tools.pages import PAGES, errors, opened
from tl_core.datasets import ArrayImages, Data, Dataset, datasets
from tl_core.runs.store import Store
from tl_core.ui import steps

SAID = "A fault inside Transfer Lab stopped the reading of this dataset (TypeError: 'NoneType' object is not iterable)."


class Faulty(Dataset):
    """A source with a bug."""

    title: ClassVar[str] = "Faulty"
    where: Literal["reading", "labels", "drawing", "nothing"] = "reading"

    def read(self, seed: int) -> Data:
        if self.where == "reading":
            raise TypeError("'NoneType' object is not iterable\nmore")
        labels: Any = np.arange(8) % 2 if self.where != "labels" else np.linspace(0, 1, 8)
        images = ArrayImages(np.zeros((8, 9, 9, 3), np.uint8), labels)
        return Data(("a", "b"), images, images, images)

    def location(self) -> str:
        if self.where == "drawing":
            raise TypeError("nowhere")
        return super().location()


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    datasets.parts()
    datasets.register("faulty")(Faulty)
    yield
    del datasets._parts["faulty"]


def kept(home: Path) -> list[str]:
    """The tracebacks that were kept."""
    return [file.read_text() for file in (home / "faults").iterdir()]


def chosen_another(app: AppTest) -> AppTest:
    """The same session, after a press on another source."""
    app.button(key="choose_digits").click().run()
    assert not errors(app)
    assert not app.exception
    return app


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(page: str, home: Path) -> None:
    app = opened(page, dataset="faulty")
    assert app.title[0].value == next(step.title for step in steps.pages() if step.script == page)
    assert "Faulty" in app.sidebar.caption[0].value
    tracebacks = kept(home)
    # Of the look at its images and of its reading, which counts its examples where runs are planned, however often each was met.
    assert len(tracebacks) == (3 if page == steps.WHAT_IF.script else 2)
    assert all("TypeError: 'NoneType' object is not iterable" in traceback for traceback in tracebacks)
    shows = page in {steps.DATASET.script, steps.STRATEGY.script, steps.WHAT_IF.script}
    assert [SAID in each for each in errors(app)] == [True] * shows
    assert all(str(home / "faults") in each for each in errors(app))


def test_another_dataset_can_be_chosen() -> None:
    app = chosen_another(opened(steps.DATASET.script, dataset="faulty"))
    assert app.query_params["dataset"] in ("digits", ["digits"])


@pytest.mark.parametrize(("where", "doing"), [("labels", "reading"), ("drawing", "view")])
def test_what_is_read_and_does_not_fit_is_told_as_well(where: str, doing: str) -> None:
    app = opened(steps.DATASET.script, dataset="faulty", **{"dataset.where": where})
    assert [f"stopped the {doing} of this dataset (TypeError" in each for each in errors(app)] == [True]
    chosen_another(app)


def test_start_says_it_as_well(home: Path) -> None:
    app = opened(steps.DATASET.script, dataset="faulty")
    app.button(key="start").click().run()
    assert not app.exception
    assert "A fault inside Transfer Lab stopped the start of this run (TypeError" in " ".join(errors(app))
    assert not Store().runs()


def test_a_sound_source_is_shown(home: Path) -> None:
    app = opened(steps.DATASET.script, dataset="faulty", **{"dataset.where": "nothing"})
    assert not errors(app)
