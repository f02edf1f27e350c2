"""Keras script: a finished run as a script and a notebook that anybody can read, change and run without this package."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.events import Event, Stage
from tl_core.jobs.background import ResultWriter
from tl_core.recipe import Recipe
from tl_core.runs import evaluations, scripts
from tl_core.runs.store import Store
from tl_core.studies import Study, StudyResult, register
from tl_core.system import settings


@dataclass(frozen=True)
class ScriptResult(StudyResult):
    """The files that were written, by name, with their bytes."""

    files: dict[str, int] | None = None


@register("keras_script")
class KerasScript(Study[ScriptResult]):
    """Write a finished run as a script and a notebook of Keras alone, with its very images and first weights beside them."""

    title: ClassVar[str] = "Keras script"
    folder: ClassVar[str] = scripts.FOLDER

    run_id: str = Field("", title="Run", description="The id of the finished run.")

    def first(self) -> ScriptResult:
        return ScriptResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return ()

    def place(self, home: Path) -> Path:
        """Return a folder within that of the run, with which it is deleted."""
        return settings.run_folders(home) / self.run_id / self.folder / scripts.ASKED

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` of a run without a result, or of one whose data or weights are not there."""
        recipe.backbone.require_layers("A script of Keras alone", "The command below trains it again.")
        evaluations.finished(Store(), self.run_id)
        recipe.require_runnable()

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[ScriptResult]) -> None:
        from tl_core.features.cache import cache_of
        from tl_core.studies._scripting import write_script

        store = Store(home)
        found = evaluations.finished(store, self.run_id)

        def report(event: Event) -> None:
            if isinstance(event, Stage):
                writer.update(stage=event.activity)

        write_script(found, report, cache_of(home))
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew
        written = scripts.place(found.folder)
        writer.update(files={file.name: file.stat().st_size for file in sorted(written.iterdir())})

    def rows(self, found: ScriptResult) -> Iterator[dict[str, Any]]:
        for name, taken in (found.files or {}).items():
            yield {"file": name, "bytes": taken}
