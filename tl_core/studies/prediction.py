"""Predict: what the model of a finished run says of pictures that somebody gives it, and whether it has ever seen their like."""

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
from tl_core.datasets import Modality, datasets
from tl_core.errors import RunError
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.notes import StoredNote
from tl_core.recipe import Recipe
from tl_core.runs import evaluations
from tl_core.runs.store import Run, Store
from tl_core.studies import SharedResult, Study, register, reporter
from tl_core.studies._predicted import PredictedPicture
from tl_core.system import settings
from tl_core.system.settings import ServerPath

GIVEN = "given"
"""Pictures that a browser has brought, below the folder of the results."""
STALE_SECONDS = 86_400.0
"""Pictures that were brought, and what was said of them, are kept for a day; then they go when the run is asked again."""

OF_AN_OUTPUT = "output", "value"
"""What the name and the value of an output are called in a table."""


@dataclass(frozen=True)
class PredictionResult(SharedResult):
    """What is said of each picture, in the order in which they were given.

    `threshold` says from which distance on one lies outside of what was trained on; None where that is not known, and then a
    note among `notes` says why. They also say what was left out. `map_size` is how many rows and columns the heat maps have, None
    where none is shown, or the network has no map.
    """

    pictures: tuple[PredictedPicture, ...] = ()
    threshold: Threshold | None = None
    notes: tuple[StoredNote, ...] = ()
    map_size: tuple[int, int] | None = None


@register("prediction")
class Prediction(Study[PredictionResult]):
    """Ask the model of a finished run what pictures show, where it sees that, and whether it has learned from their like.

    Where it sees it is told by Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), and whether a picture lies outside of what was
    trained on by its distance to the nearest training images (Sun et al. 2022, arXiv 2204.06507).
    """

    title: ClassVar[str] = "Predict"
    folder: ClassVar[str] = "predicted"

    run_id: str = Field("", title="Run", description="The id of the finished run that is asked.")
    pictures: tuple[ServerPath, ...] = Field(
        (), title="Pictures", description="Files, folders with images in and below them, or archives."
    )
    top: int = Field(3, ge=1, le=1000, title="Classes", description="How many classes are told, the most probable first.")
    shown: int = Field(
        0, ge=0, le=24, title="Shown", description="Of so many pictures it is told where the network sees what it says."
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
        """Raise the `TransferError` of a run that cannot be asked: one without a model, or not of images."""
        backends.require_importable()
        require_images(evaluations.finished(Store(), self.run_id).run)
        require_there(self.pictures)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[PredictionResult]) -> None:
        from tl_core.studies._predicting import predict

        store = Store(home)
        forget_stale(self.place(home))
        asked = evaluations.finished(store, self.run_id)
        answer = predict(asked, self.pictures, reporter(writer), home, top=self.top, most_shown=self.shown)
        if answer.shown is not None:
            answer.shown.write(self.shown_file(home, recipe))
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew
        writer.update(**{name: value for name, value in answer._asdict().items() if name != "shown"})

    def rows(self, found: PredictionResult) -> Iterator[dict[str, Any]]:
        told = max((len(picture.outputs) for picture in found.pictures), default=0)
        of_labels = any(picture.labels is not None for picture in found.pictures)
        for picture in found.pictures:
            outputs = [*picture.outputs, *[("", None)] * (told - len(picture.outputs))]
            yield {
                "picture": picture.name,
                **({"labels": "|".join(picture.labels or ())} if of_labels else {}),
                **{f"{what}_{place}": pair[at] for place, pair in enumerate(outputs, 1) for at, what in enumerate(OF_AN_OUTPUT)},
                "outside": picture.is_outside,
                "distance": picture.distance,
                "nearest": picture.nearest[0].name if picture.nearest else "",
                "nearest_is": picture.nearest[0].label if picture.nearest else "",
                "reason": picture.reason,
            }

    def conclusion(self, found: PredictionResult) -> str:
        """Return what was read, what lies outside, and how often that is said of the run's own test, in sentences."""
        read, limit = [picture for picture in found.pictures if not picture.reason], found.threshold
        broken = len(found.pictures) - len(read)
        told = f"{len(read):,} predicted" + (f", {broken:,} could not be read." if broken else ".")
        if limit is None or not read:
            return told
        outside = sum(picture.is_outside is True for picture in read)
        lies = f"{outside:,} of them lie" if outside > 1 else f"{'One' if outside else 'None'} of them lies"
        return f"{told} {lies} {_outside(limit)}"


def _outside(limit: Threshold) -> str:
    """Return what lies outside, and how often that is said of the run's own test, as the end of a sentence and two others."""
    tested = percent(limit.measured, limit.interval)
    near = "no training image is" if limit.k == 1 else f"fewer than {limit.k} training images are"
    apart = ", each held against the others" if limit.fitted_on == "train" else ""
    return (
        f"outside of what the run was trained on. A picture does where {near} within a distance of {limit.distance:.2f}, as the "
        f"network sees it. That should be so of {100 * FALSE_ALARMS:.0f} % of images like the {limit.fitted:,} {limit.fitted_on} "
        f"images{apart}; of the {limit.tested:,} images of the run's own test it was found of {tested}."
    )


def forget_stale(folder: Path) -> None:
    """Remove what is older than `STALE_SECONDS` from the folder of results; what is at work keeps its lock."""
    for old in (*folder.glob("*.*"), *(folder / GIVEN).glob("*")):
        with contextlib.suppress(FileNotFoundError):  # another one that begins now removes it, too
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(old) if old.is_dir() else old.unlink()


def require_images(run: Run) -> None:
    """Raise `RunError` where a run did not learn from images."""
    part = datasets.parts().get(run.spec.dataset.name)
    if part is None or part.modality is not Modality.IMAGES:
        raise RunError(
            "Pictures are predicted, and this run has not learned from images.", "Choose another run.", received=run.id
        )
