"""Predict: what the model of a finished run says of pictures or texts that somebody gives it, and whether it has ever seen their
like."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.analysis.out_of_distribution import FALSE_ALARMS, Threshold
from tl_core.analysis.statements import percent
from tl_core.data.formats.pictures import require_there
from tl_core.data.formats.written import require_files, texts_in
from tl_core.data.label_kinds import BETWEEN
from tl_core.datasets import Modality, datasets
from tl_core.errors import RunError
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.notes import StoredNote
from tl_core.recipe import Recipe
from tl_core.runs import evaluations
from tl_core.runs.store import Run, Store
from tl_core.studies import SharedResult, Study, register, reporter
from tl_core.studies._predicted import COVERED, Fitted, PredictedExample
from tl_core.studies._text_words import TextWords
from tl_core.studies.words import TOLD
from tl_core.system import settings
from tl_core.system.settings import ServerPath

GIVEN = "given"
"""Files that a browser has brought, below the folder of the results."""
STALE_SECONDS = 86_400.0
"""Files that were brought, and what was said of them, are kept for a day; then they go when the run is asked again."""

OF_AN_OUTPUT = "output", "value"
"""What the name and the value of an output are called in a table."""
SINGULAR = {Modality.IMAGES: "picture", Modality.TEXTS: "text"}
"""What can be predicted, and what one of it is called in a table."""
SPLIT_TITLES = {"validation": "validation", "train": "training"}


@dataclass(frozen=True)
class PredictionResult(SharedResult):
    """What is said of each of the `examples`, in the order in which they were given, and of which `modality` they are.

    `threshold` says from which distance on one lies outside of what was trained on; None where that is not known, and then a
    note among `notes` says why. They also say what was left out. `fitted` is what makes probabilities, or the intervals of
    numbers, mean what they say; None where it could not be. `map_size` is how many rows and columns the heat maps have, None
    where none is shown, or the network has no map.
    """

    modality: Modality = Modality.IMAGES
    examples: tuple[PredictedExample, ...] = ()
    threshold: Threshold | None = None
    notes: tuple[StoredNote, ...] = ()
    fitted: Fitted | None = None
    map_size: tuple[int, int] | None = None


@register("prediction")
class Prediction(Study[PredictionResult]):
    """Ask the model of a finished run what pictures show or texts say, what carried that, and whether it has learned from their
    like.

    Where it sees something in a picture is told by Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), which words of a text
    carried it by leaving each out (Li et al. 2016, arXiv 1612.08220), and whether either lies outside of what was trained on by
    its distance to the nearest training examples (Sun et al. 2022, arXiv 2204.06507).
    """

    title: ClassVar[str] = "Predict"
    folder: ClassVar[str] = "predicted"

    run_id: str = Field("", title="Run", description="The id of the finished run that is asked.")
    files: tuple[ServerPath, ...] = Field(
        (),
        title="Files",
        description="Pictures, folders with images in and below them, archives; or texts: a .txt with one a line, or a table.",
    )
    column: str | None = Field(
        None, title="Column", description="That of the texts in a table; empty finds a column such as text or sentence."
    )
    top: int = Field(3, ge=1, le=1000, title="Classes", description="How many classes are told, the most probable first.")
    shown: int = Field(
        0, ge=0, le=24, title="Shown", description="Of so many pictures or texts it is told what carried the decision."
    )

    def first(self) -> PredictionResult:
        return PredictionResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return (self.own_settings,)

    def place(self, home: Path) -> Path:
        """Return a folder within that of the run, with which it is deleted."""
        return settings.run_folders(home) / self.run_id / self.folder

    def shown_file(self, home: Path, recipe: Recipe) -> Path:
        """Return the file of the pictures that are shown."""
        return self.file(home, recipe).with_suffix(".npz")

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` of a run that cannot be asked, such as one without a model, or not about this."""
        backends.require_importable()
        modality = modality_of(evaluations.finished(Store(), self.run_id).run)
        (require_files if modality is Modality.TEXTS else require_there)(self.files)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[PredictionResult]) -> None:
        from tl_core.studies._predicting import predict_pictures, predict_texts

        store = Store(home)
        forget_stale(self.place(home))
        run, report = evaluations.finished(store, self.run_id), reporter(writer)
        modality = modality_of(run.run)
        if modality is Modality.TEXTS:
            given = texts_in(self.files, self.column)
            answer = predict_texts(run, given, report, home, top=self.top, most_shown=self.shown)
        else:
            answer = predict_pictures(run, self.files, report, home, top=self.top, most_shown=self.shown)
        if answer.shown is not None:
            answer.shown.write(self.shown_file(home, recipe))
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew
        told = {name: value for name, value in answer._asdict().items() if name != "shown"}
        writer.update(modality=modality, **told)

    def rows(self, found: PredictionResult) -> Iterator[dict[str, Any]]:
        told = max((len(each.outputs) for each in found.examples), default=0)
        known = {name: any(getattr(each, name) is not None for each in found.examples) for name in ("labels", "interval")}
        of_words = any(each.words for each in found.examples)
        for each in found.examples:
            outputs = [*each.outputs, *[("", None)] * (told - len(each.outputs))]
            yield {
                SINGULAR[found.modality]: each.name,
                **({"labels": BETWEEN.join(each.labels or ())} if known["labels"] else {}),
                **{f"{what}_{place}": pair[at] for place, pair in enumerate(outputs, 1) for at, what in enumerate(OF_AN_OUTPUT)},
                **(dict(zip(("low", "high"), each.interval or (None, None), strict=True)) if known["interval"] else {}),
                "outside": each.is_outside,
                "distance": each.distance,
                "nearest": each.nearest[0].name if each.nearest else "",
                "nearest_is": each.nearest[0].label if each.nearest else "",
                **({"reason": each.reason} if found.modality is Modality.IMAGES else {}),
                **({"decided_by": _told(each.words)} if of_words else {}),
            }

    def conclusion(self, found: PredictionResult) -> str:
        """Return how many were predicted, and how many of them are unlike what the run has learned from, in two sentences."""
        read = [each for each in found.examples if not each.reason]
        broken = len(found.examples) - len(read)
        told = f"{len(read):,} predicted" + (f", {broken:,} could not be read." if broken else ".")
        if found.threshold is None or not read:
            return told
        outside = sum(each.is_outside is True for each in read)
        if len(read) == 1:
            return f"{told} It {'looks' if outside else 'does not look'} unlike anything that the run has learned from."
        many = {0: "None of them looks", 1: "One of them looks"}.get(outside, f"{outside:,} of them look")
        return f"{told} {many} unlike anything that the run has learned from."

    def trust(self, found: PredictionResult) -> Iterator[str]:
        """Yield how far what is said can be trusted, in sentences."""
        things, limit = found.modality, found.threshold
        if found.fitted and found.fitted.temperature:
            yield (
                f"The probabilities are calibrated, so that of what is said with 80 % about 80 % should be right: their "
                f"temperature, {found.fitted.temperature:.2f}, was fitted to {found.fitted.examples:,} validation {things}."
            )
        if found.fitted and found.fitted.reach is not None:
            yield (
                f"In {100 * COVERED:.0f} % of cases the true number lies within {found.fitted.reach:,.3g} of the predicted one, "
                f"as far as {found.fitted.examples:,} validation {things} tell."
            )
        if limit:
            near = "no training example is" if limit.k == 1 else f"fewer than {limit.k} training examples are"
            yield (
                f"The warning comes where {near} within a distance of {limit.distance:.2f}, as the network sees them (0 is the "
                f"same, 2 the farthest). It is set to come by mistake for {100 * FALSE_ALARMS:.0f} % of {things} like the "
                f"{limit.fitted:,} {SPLIT_TITLES[limit.fitted_on]} ones. Of the {limit.tested:,} test {things}, which are of the "
                f"run's own kind, it comes for {percent(limit.measured, limit.interval)}."
            )


def _told(words: TextWords | None) -> str:
    """Return the words that carried a decision, each with by how much the value falls without it; nothing where nobody asked."""
    return ", ".join(f"{' '.join(part.split())} {fall:+.3g}" for part, fall in words.strongest(TOLD)) if words else ""


def forget_stale(folder: Path) -> None:
    """Remove what is older than `STALE_SECONDS` from the folder of results; what is at work keeps its lock."""
    for old in (*folder.glob("*.*"), *(folder / GIVEN).glob("*")):
        with contextlib.suppress(FileNotFoundError):  # another one that begins now removes it, too
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(old) if old.is_dir() else old.unlink()


def modality_of(run: Run) -> Modality:
    """Return what a run has learned from. Raises `RunError` where nothing of that kind can be predicted."""
    part = datasets.parts().get(run.spec.dataset.name)
    if part is None or part.modality not in SINGULAR:
        raise RunError(
            "Pictures and texts are predicted, and this run has learned from neither.", "Choose another run.", received=run.id
        )
    return part.modality
