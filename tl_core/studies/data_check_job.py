"""A dataset examined in a process of its own; the report is kept until the next one."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tl_core.checks.report import Report
from tl_core.datasets import Dataset
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec


@dataclass(frozen=True)
class Examination:
    """As far as it has come: `done` of `images` have been looked at. `seconds` is how long it has taken; `error` says why there
    is no report."""

    done: int = 0
    images: int = 0
    report: Report | None = None
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @classmethod
    def read(cls, home: Path, dataset: Dataset) -> Self | None:
        """The last one of all images of `dataset`; None where there is none, or its process has gone without an end."""
        return background.read(_file(home, dataset), cls)

    @property
    def share(self) -> float:
        """How much of it is done, 0..1."""
        return self.done / max(1, self.images)


def request(home: Path, recipe: Recipe) -> None:
    """Examine its dataset in the background, unless that is being done. Raises what `apart.start` does."""
    file = _file(home, recipe.dataset)
    command = ["look-at-images", recipe.spec().model_dump_json()]
    background.start(home, file, command, lambda: background.write(file, Examination()), needs_keras=False)


def examine(home: Path, spec_json: str) -> None:
    """Examine it, keeping what is known every half second."""
    from tl_core.checks.scan import examine as look

    spec = RunSpec.model_validate_json(spec_json)
    recipe = Recipe.of(spec)
    file = _file(home, recipe.dataset)
    began, watch = time.monotonic(), background.Watch(file, Examination())

    def on_look(done: int, images: int) -> None:
        watch.change(done=done, images=images, seconds=time.monotonic() - began)

    def looked() -> None:
        watch.change(report=look(recipe.dataset.read(recipe.seed), on_look, recipe.dataset.thing))

    watch.carry_out(looked, spec)


def _file(home: Path, dataset: Dataset) -> Path:
    """By what all of its images are: neither the number of labels nor what is left out."""
    return background.file_for(home / "reports", background.with_all_labels(dataset) | {"left_out": None})
