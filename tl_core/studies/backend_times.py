"""Backend times: what computes on this machine, and how long training steps take with each backend that is installed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

from pydantic import Field

from tl_core.errors import RunError
from tl_core.jobs.background import ResultWriter
from tl_core.machine.doctor import Examination, examine
from tl_core.planning import batch_times
from tl_core.planning.backbone_profile import BATCH
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register
from tl_core.studies._doctors_words import what_is_the_matter


@dataclass(frozen=True)
class BackendTime:
    """The seconds of the `first` step with a backend, which compiles it, and the `median` of the others; both are None where it
    could not be timed, and `problem` says why."""

    first: float | None = None
    median: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class BackendTimesResult(StudyResult):
    """What was found of this machine, the times of each backend by its name, and the share that is `done`, 0..1."""

    examination: Examination | None = None
    times: dict[str, BackendTime] | None = None
    done: float = 0.0

    @property
    def share(self) -> float:
        return self.done


@register("backend_times")
class BackendTimes(Study[BackendTimesResult]):
    """Say what computes on this machine, and time training steps of the network on each backend that is installed.

    Each backend computes in a process of its own, one after the other, from random weights, in float32, on 32 examples a step.
    """

    title: ClassVar[str] = "This computer"
    folder: ClassVar[str] = "backend_times"

    batches: int = Field(50, ge=2, le=10_000, title="Batches", description="Training steps on each backend.")

    def first(self) -> BackendTimesResult:
        return BackendTimesResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return recipe.backbone.with_size(recipe.input_size).spec(), recipe.input_size, self.batches

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `SettingError` of a backbone that does not take inputs of that size: weights do not matter."""
        recipe.backbone.require_layers("Timing of training steps", "Choose a network of Keras' to time this computer.")
        recipe.backbone.require_size(recipe.input_size)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[BackendTimesResult]) -> None:
        """Examine the machine, then time one backend after the other."""
        writer.update(stage="Examining this computer")
        found = examine()
        installed = [name for name, version in found.versions.items() if version]
        writer.update(examination=found)
        known = dict[str, BackendTime]()
        for index, name in enumerate(installed):
            writer.update(stage=f"Timing {name}")
            steps = list[float]()
            try:
                for step in batch_times.times(name, recipe.backbone, recipe.input_size, self.batches):
                    steps.append(step)
                    done = (index + len(steps) / self.batches) / len(installed)
                    writer.update(done=done, images_per_second=BATCH / step)
                known[name] = BackendTime(steps[0], median(steps[1:]))
            except RunError as error:
                known[name] = BackendTime(problem=str(error))
            writer.update(times=dict(known))

    def rows(self, found: BackendTimesResult) -> Iterator[dict[str, Any]]:
        for name, time in (found.times or {}).items():
            rate = BATCH / time.median if time.median else None
            yield {
                "backend": name,
                "seconds_a_batch": time.median,
                "examples_a_second": rate,
                "first_batch": time.first,
                "problem": time.problem,
            }

    def conclusion(self, found: BackendTimesResult) -> str:
        return what_is_the_matter(found.examination) if found.examination else ""
