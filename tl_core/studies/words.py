"""Words: what carried the decisions of a finished run on the texts that it found hardest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.data.examples import Modality
from tl_core.datasets import datasets
from tl_core.errors import RunError
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.recipe import Recipe
from tl_core.runs import evaluations, score
from tl_core.runs.store import Run, Store
from tl_core.studies import SharedResult, Study, register
from tl_core.studies._text_words import TextWords
from tl_core.system import settings

TOLD = 5
"""Parts of a text that tables and captions name."""


@dataclass(frozen=True)
class WordsResult(SharedResult):
    """The texts so far, the hardest first."""

    texts: tuple[TextWords, ...] = ()


@register("words")
class Words(Study[WordsResult]):
    """Leave each word of the hardest test texts out in turn, and say by how much the prediction falls (occlusion).

    What falls is the probability of the predicted class, or the predicted number: Li, Monroe and Jurafsky 2016, arXiv 1612.08220.
    """

    title: ClassVar[str] = "Words that decided"
    folder: ClassVar[str] = "words"

    run_id: str = Field("", title="Run", description="The id of the finished run that is asked.")
    texts: int = Field(12, ge=1, le=24, title="Texts", description="How many of the hardest test texts are looked at.")

    def first(self) -> WordsResult:
        return WordsResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return (self.texts,)

    def place(self, home: Path) -> Path:
        """Return a folder within that of the run, with which it is deleted."""
        return settings.run_folders(home) / self.run_id / self.folder

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` of a run that cannot be asked: one without a model, or not of texts."""
        backends.require_importable()
        run = evaluations.finished(Store(), self.run_id).run
        require_texts(run)
        if not (kind := score.label_kind(run)).single:
            raise RunError(
                f"Words are left out where an example has one label, and this run predicts {kind.title}.", received=run.id
            )

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[WordsResult]) -> None:
        from tl_core.studies._occlusion import occluded

        store = Store(home)
        for found, done in occluded(evaluations.finished(store, self.run_id), self.texts, writer.report):
            writer.update(done=done, texts=found)
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew

    def rows(self, found: WordsResult) -> Iterator[dict[str, Any]]:
        for each in found.texts:
            for words, fall in each.strongest(TOLD):
                yield {
                    "text": each.example,
                    "predicted": each.predicted,
                    "value": each.value,
                    "words": words.strip(),
                    "falls_by": fall,
                }


def is_of_texts(run: Run) -> bool:
    """Return whether a run learned from texts."""
    part = datasets.parts().get(run.spec.dataset.name)
    return part is not None and part.modality is Modality.TEXTS


def require_texts(run: Run) -> None:
    """Raise `RunError` where a run did not learn from texts."""
    if not is_of_texts(run):
        raise RunError("Words are left out of texts, and this run has not learned from texts.", received=run.id)
