"""Evaluation: a finished run's model tested on other data with the same labels. Does it hold on last month's photographs?"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.recipe import Recipe
from tl_core.runs import evaluations
from tl_core.runs.evaluations import Evaluation
from tl_core.runs.store import Store
from tl_core.studies import SharedResult, Study, register, reporter, with_all_labels
from tl_core.system import settings


@dataclass(frozen=True)
class EvaluationResult(SharedResult):
    """The evaluation once it is there, as it is kept with the run."""

    evaluation: Evaluation | None = None


@register("evaluation")
class EvaluationStudy(Study[EvaluationResult]):
    """Test the model of a finished run on other data with the same labels, and say what differs."""

    title: ClassVar[str] = "Test on other data"
    folder: ClassVar[str] = evaluations.FOLDER

    run_id: str = Field("", title="Run", description="The id of the finished run whose model is tested.")

    def first(self) -> EvaluationResult:
        return EvaluationResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return (with_all_labels(recipe.dataset),)

    def place(self, home: Path) -> Path:
        """Return a folder within that of the run, with which it is deleted."""
        return settings.run_folders(home) / self.run_id / self.folder / evaluations.ASKED

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` of a run that cannot be tested, or of data that it cannot be tested on."""
        from tl_core.studies._foreign_data import foreign_data

        backends.require_importable()
        found = evaluations.finished(Store(), self.run_id)
        replace(Recipe.of(found.run.spec), dataset=recipe.dataset).require_accepted()
        if not recipe.dataset.fetches:
            foreign_data(recipe, found.result.class_names)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[EvaluationResult]) -> None:
        from tl_core.studies._testing import evaluate

        store = Store(home)
        found = evaluations.finished(store, self.run_id)
        began = time.monotonic()
        said = evaluate(recipe, found, reporter(writer), home)
        kept = said.model_copy(update={"at": time.time(), "seconds": time.monotonic() - began})
        evaluations.write(found.folder, kept)
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew
        writer.update(evaluation=kept)

    def rows(self, found: EvaluationResult) -> Iterator[dict[str, Any]]:
        for metric in found.evaluation.metrics if found.evaluation else ():
            yield {"metric": metric.name, "value": metric.value, "low": metric.low, "high": metric.high}
