"""Learning-rate finder: a range test of learning rates, whose curve can be watched as it grows."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.analysis.rates import RateCurve
from tl_core.data.label_kinds import CLASSES
from tl_core.errors import Stopped
from tl_core.events import Event, Step
from tl_core.features.cache import cache_of
from tl_core.jobs.background import ResultWriter
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register

SECONDS = 40.0
"""What the steps may take; loading the network comes before."""
MOST_STEPS, FEWEST_STEPS = 100, 20
METHOD = 2
"""1: heads were computed from the images that rates were tried on. Curves of another method are not looked at."""


@dataclass(frozen=True)
class LrFinderResult(StudyResult):
    """A range test as far as it has come: `planned` rates will be tried in `phase` unless the loss breaks out before."""

    planned: int = MOST_STEPS
    phase: str = ""
    curve: RateCurve = field(default=RateCurve((), ()))

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return min(1.0, len(self.curve.rates) / self.planned)


def steps_within(step_seconds: float) -> int:
    """Return how many rates can be tried within `SECONDS` where a step takes so long."""
    return int(min(MOST_STEPS, max(FEWEST_STEPS, SECONDS / max(step_seconds, 1e-6))))


@register("lr_finder")
class LrFinder(Study[LrFinderResult]):
    """Try learning rates from far too low to far too high, on training images alone, and suggest one."""

    title: ClassVar[str] = "Learning-rate finder"
    folder: ClassVar[str] = "rates"

    steps: int = Field(
        MOST_STEPS, ge=2, le=100_000, title="Rates", description="How many rates are tried, unless the loss breaks out before."
    )

    def first(self) -> LrFinderResult:
        return LrFinderResult(planned=self.steps)

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        """Return everything that decides the curve: neither the present rate nor the number of epochs does."""
        part = type(recipe.strategy)
        strategy = {name: value for name, value in recipe.strategy.model_dump(mode="json").items() if name != part.rate_setting}
        strategy |= {part.epochs_setting: str(part.model_fields[part.epochs_setting].default)} if part.epochs_setting else {}
        spec = recipe.spec()
        task = () if recipe.dataset.label_kind == CLASSES else (spec.task,)  # curves of before there were tasks stay known
        return spec.dataset.content, spec.backbone, METHOD, recipe.strategy.name, strategy, spec.image_size, spec.seed, *task

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[LrFinderResult]) -> None:
        from tl_core.studies._lr_sweep import sweep

        sweep(recipe.spec(), self.steps, _Listener(writer), cache_of(home))

    def rows(self, found: LrFinderResult) -> Iterator[dict[str, Any]]:
        yield {
            "phase": found.phase,
            "rates_tried": len(found.curve.rates),
            "suggested_learning_rate": found.curve.suggestion,
            "shape": found.curve.shape.value,
        }


class _Listener:
    """Gathers what a sweep reports, and ends it once its loss has broken out or its time is over."""

    def __init__(self, writer: ResultWriter[LrFinderResult]) -> None:
        self._writer = writer
        self._began: float | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Step):
            self._add(event)
        else:
            self._writer.report(event)

    def _add(self, step: Step) -> None:
        from tl_core.studies._lr_sweep import rate_at

        self._began = self._began or time.monotonic()
        if not isfinite(step.loss):
            raise Stopped
        tried = self._writer.now.curve
        curve = RateCurve((*tried.rates, rate_at(step.step, self._writer.now.planned)), (*tried.losses, step.loss))
        self._writer.update(stage="Trying learning rates", phase=step.phase, curve=curve)
        if curve.has_broken_out or time.monotonic() - self._began > 1.5 * SECONDS:
            raise Stopped
