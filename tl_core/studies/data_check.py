"""Data check: every example of a dataset looked at, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tl_core.checks.report import Report
from tl_core.jobs.background import ResultWriter
from tl_core.recipe import Recipe
from tl_core.studies import Study, StudyResult, register, with_all_labels


@dataclass(frozen=True)
class DataCheckResult(StudyResult):
    """How many examples have been looked at (`done`) of how many (`images`), and the report once all have been."""

    done: int = 0
    images: int = 0
    report: Report | None = None

    @property
    def share(self) -> float:
        """Return how much of it is done, 0..1."""
        return self.done / max(1, self.images)

    @property
    def seconds_left(self) -> float | None:
        """Return how many seconds the others will take, at the pace so far."""
        return self.seconds * (1 - self.share) / self.share if self.done else None


@register("data_check")
class DataCheck(Study[DataCheckResult]):
    """Look at every example of a dataset: what is broken, double, leaked or uneven."""

    title: ClassVar[str] = "Data check"
    folder: ClassVar[str] = "reports"
    needs_keras: ClassVar[bool] = False

    def first(self) -> DataCheckResult:
        return DataCheckResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        """Return what all of its images are: neither the number of labels nor what is left out decides."""
        return (with_all_labels(recipe.dataset) | {"left_out": None},)

    def require_possible(self, recipe: Recipe) -> None:
        """Raise nothing: it says itself what is wrong with a dataset."""

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[DataCheckResult]) -> None:
        from tl_core.checks.scan import examine

        thing = recipe.dataset.thing
        writer.update(stage=f"Finding the {thing}")
        data = recipe.dataset.read(recipe.seed)
        writer.update(stage=f"Looking at the {thing}")
        report = examine(data, lambda done, images: writer.update(done=done, images=images), thing)
        writer.update(report=report)

    def rows(self, found: DataCheckResult) -> Iterator[dict[str, Any]]:
        if report := found.report:
            yield {
                "examples": report.examined,
                "broken": len(report.broken),
                "copies": report.copies(),
                "conflicting": report.conflicting(),
                "leaked_into_test": report.leaked("test"),
            }
