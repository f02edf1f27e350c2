"""The learning-rate finder: a range test in a process of its own, whose curve is kept and can be watched as it grows."""

import time
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Self

from tl_core.analysis.rates import RateCurve
from tl_core.errors import Stopped
from tl_core.events import Event, Stage, Step
from tl_core.jobs import background
from tl_core.recipe import Recipe
from tl_core.spec import RunSpec

SECONDS = 40.0
"""What the steps may take; loading the network comes before."""
MOST_STEPS, FEWEST_STEPS = 100, 20
WRITING_SECONDS = 1.0
METHOD = 2
"""1: heads were computed from the images that rates were tried on. Curves of another method are not looked at."""


@dataclass(frozen=True)
class Search:
    """A range test as far as it has come. `planned` is how many rates will be tried unless the loss breaks out before;
    `seconds` is what all of it took; `error` says why there is no curve."""

    planned: int
    stage: str = "Starting Python and Keras"
    phase: str = ""
    curve: RateCurve = field(default=RateCurve((), ()))
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @classmethod
    def read(cls, home: Path, recipe: Recipe) -> Self | None:
        """The kept search for a recipe, whatever its present learning rate is; None where there is none, or where its process
        has gone without an end."""
        return background.read(_file(home, recipe), cls)

    @property
    def share(self) -> float:
        """How much of it is done, 0..1."""
        return min(1.0, len(self.curve.rates) / self.planned)


def steps_within(step_seconds: float) -> int:
    """How many rates can be tried within `SECONDS` where a step takes so long."""
    return int(min(MOST_STEPS, max(FEWEST_STEPS, SECONDS / max(step_seconds, 1e-6))))


def request(home: Path, recipe: Recipe, steps: int) -> None:
    """Start the search in the background, unless it is at work. Raises `StorageError`, and `RunError` where every GPU is in
    use."""
    file = _file(home, recipe)
    command = ["find-rate", recipe.spec().model_dump_json(), str(steps)]
    background.start(home, file, command, lambda: background.write(file, Search(steps)))


def find(home: Path, spec_json: str, steps: int) -> None:
    """Do the search, keeping what is known of it every second."""
    spec = RunSpec.model_validate_json(spec_json)
    file = _file(home, Recipe.of(spec))
    watch = _Watch(file, Search(steps), WRITING_SECONDS)

    def searched() -> None:
        from tl_core.features.cache import cache_of
        from tl_core.studies.lr_sweep import sweep

        sweep(spec, steps, watch, cache_of(home))

    watch.carry_out(searched, spec)


class _Watch(background.Watch[Search]):
    """Gathers what a sweep reports, and ends it once its loss has broken out or its time is over."""

    _first: float | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Stage):
            self.change(stage=event.title)
        elif isinstance(event, Step):
            self._add(event)

    def _add(self, step: Step) -> None:
        from tl_core.studies.lr_sweep import rate_at

        self._first = self._first or time.monotonic()
        if not isfinite(step.loss):
            raise Stopped
        tried = self.now.curve
        curve = RateCurve((*tried.rates, rate_at(step.step, self.now.planned)), (*tried.losses, step.loss))
        self.change(stage="Trying learning rates", phase=step.phase, curve=curve)
        if curve.has_broken_out or time.monotonic() - self._first > 1.5 * SECONDS:
            raise Stopped


def _file(home: Path, recipe: Recipe) -> Path:
    """By everything that decides the curve: neither the present rate nor the number of epochs does."""
    usual = type(recipe.strategy).model_fields
    strategy = {name: value for name, value in recipe.strategy.model_dump(mode="json").items() if name != "learning_rate"}
    strategy |= {"epochs": str(usual["epochs"].default)} if "epochs" in usual else {}
    spec = recipe.spec()
    named = METHOD, recipe.strategy.name, strategy
    return background.file_for(home / "rates", spec.dataset.content, spec.backbone, *named, spec.image_size, spec.seed)
