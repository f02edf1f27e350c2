"""Export: a finished run's model in a format that leaves, and the check that it still says the same there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tl_core.analysis.non_inferiority import fewest_examples
from tl_core.analysis.statements import percent, size
from tl_core.analysis.statistics import wilson
from tl_core.data.label_kinds import CLASSES
from tl_core.errors import SettingError
from tl_core.events import Activity
from tl_core.exports import ExportFormat, formats
from tl_core.jobs.background import ResultWriter
from tl_core.machine import backends
from tl_core.recipe import Recipe, things_of
from tl_core.runs import evaluations, exported
from tl_core.runs.exported import Parity
from tl_core.runs.score import task_of
from tl_core.runs.store import Run, Store
from tl_core.studies import SharedResult, Study, register
from tl_core.system import settings

SHARES = {Activity.LOADING_MODEL: 0.1, Activity.READING_DATASET: 0.3, Activity.CONVERTING: 0.4, Activity.CHECKING_EXPORT: 0.7}
"""How much is done when an activity begins."""
CALIBRATED = "Calibrated probabilities"
ABOUT_CALIBRATED = (
    "Divide the logits by a temperature, fitted to the validation examples, so that 80 % means right in four of five cases. No "
    "first class changes."
)


@dataclass(frozen=True)
class ExportResult(SharedResult):
    """What was found of the export, once it is there, as it is kept with the run, and what its examples are called."""

    things: str = "examples"
    parity: Parity | None = None


@register("export_check")
class ExportCheck(Study[ExportResult]):
    """Write the model of a finished run in a format that runs elsewhere, and hold what it says there against the run."""

    title: ClassVar[str] = "Export"
    folder: ClassVar[str] = exported.FOLDER

    run_id: str = Field("", title="Run", description="The id of the finished run whose model leaves.")
    format: str = Field("keras", title="Format", description="The name of the format.")
    calibrated: bool = Field(False, title=CALIBRATED, description=ABOUT_CALIBRATED)

    @property
    def part(self) -> ExportFormat:
        """Return the format. Raises `SettingError` where there is none of that name."""
        return formats.part(self.format)()

    def first(self) -> ExportResult:
        return ExportResult()

    def decisive(self, recipe: Recipe) -> Sequence[Any]:
        return (self.format,)

    def place(self, home: Path) -> Path:
        """Return a folder within that of the run, with which it is deleted."""
        return settings.run_folders(home) / self.run_id / self.folder / exported.ASKED

    def require_possible(self, recipe: Recipe) -> None:
        """Raise the `TransferError` of a format that cannot be written here, or of a run without a model of its own."""
        backends.require_importable()
        recipe.backbone.require_layers("An export", f"Let it predict here: python -m tl_core predict {self.run_id} PICTURE")
        self.part.require_possible()
        require_comparable(self.part, evaluations.finished(Store(), self.run_id).run)

    def run(self, recipe: Recipe, home: Path, writer: ResultWriter[ExportResult]) -> None:
        from tl_core.studies._exporting import export

        def tell(activity: Activity) -> None:
            writer.update(stage=activity, done=SHARES[activity])

        store = Store(home)
        found = evaluations.finished(store, self.run_id)
        parity = export(found, self.part, tell, calibrated=self.calibrated)
        store.update(self.run_id, lambda _: {"disk_bytes": None})  # measured anew
        writer.update(parity=parity, things=things_of(found.run.spec))

    def rows(self, found: ExportResult) -> Iterator[dict[str, Any]]:
        if found.parity:
            yield found.parity.model_dump(exclude={"at", "calibration"})

    def described(self, found: ExportResult) -> dict[str, str]:
        """Return what was measured, in words, by what each number is called; nothing before it is there."""
        return _described(found.parity, found.things) if found.parity else {}

    def conclusion(self, found: ExportResult) -> str:
        """Return whether it says the same, in a sentence."""
        parity = found.parity
        if parity is None:
            return ""
        compared = f"{parity.examples:,} test {found.things}"
        if parity.greatest_loss is not None:
            return _of_quantised(self.part.title, parity, parity.greatest_loss, compared)
        gap = f"{parity.largest_difference:.1e}"
        most = f"nothing differs by more than {gap}" if parity.largest_difference else "nothing differs at all"
        if not parity.is_good:
            return (
                f"{self.part.title} does not say the same as the run: on {compared} it differs by up to {gap}, and "
                f"{exported.TOLERANCE:.0e} is allowed. So it is not offered."
            )
        same = "" if parity.agreeing is None else f"the same first class for {parity.agreeing:,}, and "
        return f"{self.part.title} says the same as the run: on {compared}, {same}{most}."


def require_comparable(part: ExportFormat, run: Run) -> None:
    """Raise the `SettingError` of a quantised format of a run whose accuracy does not exist, or cannot show what it costs."""
    if not part.quantised:
        return
    task, fewest, margin = task_of(run), fewest_examples(exported.MARGIN), _points(exported.MARGIN)
    if task.label_kind != CLASSES:
        raise SettingError(
            f"{part.title} is held to the accuracy of the run, and here labels are {task.label_kind.title}.",
            "Choose a format in float32.",
            received=part.name,
        )
    if (run.test_images or 0) < fewest:
        raise SettingError(
            f"{part.title} may cost {margin} of accuracy, and whether it costs more takes {fewest} test examples to show.",
            "Choose a format in float32, or a run that is tested on more.",
            received=f"{run.test_images} test examples",
        )


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds, to two digits, or whole ones."""
    value = 1000 * seconds
    return f"{value:.0f} ms" if value >= 100 else f"{value:.2g} ms"


def gap(parity: Parity) -> str:
    """Return how far an export is from the run, in a few words."""
    loss = parity.greatest_loss
    return f"up to {parity.largest_difference:.0e} apart" if loss is None else f"loses {_points(max(loss, 0.0))} at most"


def _points(share: float) -> str:
    points = f"{100 * share:.2g}"
    return f"{points} point" if points == "1" else f"{points} points"


def _of_quantised(title: str, parity: Parity, loss: float, compared: str) -> str:
    """Return whether a quantised export is as accurate, in a sentence."""
    allowed = _points(exported.MARGIN)
    if not parity.is_good:
        return (
            f"{title} may be less accurate than the run: on {compared} it may have lost up to {_points(loss)}; at most {allowed} "
            "may be lost. So it is not offered."
        )
    return (
        f"{title} is as accurate as the run, but for {allowed} at most: on {compared}, the same first class for "
        f"{parity.agreeing:,}, and a loss of {_points(max(loss, 0.0))} at most."
    )


def _described(parity: Parity, things: str) -> dict[str, str]:
    return _compared(parity, things) | _shares(parity) | _calibration(parity) | _cost(parity)


def _compared(parity: Parity, things: str) -> dict[str, str]:
    allowed = f" (up to {exported.TOLERANCE:.0e} is allowed)" if parity.disagreements is None else ""
    return (
        {
            f"Test {things} compared": f"{parity.examples:,}",
            "Largest difference": f"{parity.largest_difference:.1e}{allowed}",
        }
        | ({} if parity.agreeing is None else {"Same first class": f"{parity.agreeing:,} of {parity.examples:,}"})
        | _lost(parity)
    )


def _lost(parity: Parity) -> dict[str, str]:
    if parity.disagreements is None or parity.greatest_loss is None:
        return {}
    only_run, only_export = parity.disagreements
    how = f"one-sided 95 % bound; at most {_points(exported.MARGIN)} may be lost"
    return {
        "Right in the run alone, here alone": f"{only_run:,}, {only_export:,}",
        "Accuracy that is lost, at most": f"{_points(parity.greatest_loss)} ({how})",
    }


def _shares(parity: Parity) -> dict[str, str]:
    rights = {"Accuracy": parity.correct, "Accuracy of the run on the same": parity.own_correct}
    return {
        name: percent(right / parity.examples, wilson(right, parity.examples))
        for name, right in rights.items()
        if right is not None
    }


def _cost(parity: Parity) -> dict[str, str]:
    return {
        "Size": size(parity.file_bytes),
        "Time for one, alone": milliseconds(parity.seconds_alone),
        "Time for one, in a batch of 32": milliseconds(parity.seconds_in_batch),
    }


def _calibration(parity: Parity) -> dict[str, str]:
    found = parity.calibration
    if found is None:
        return {}
    errors = {"validation": found.validation_error, "test": found.test_error}
    return {"Temperature": f"{found.temperature:.3g}, fitted to {found.examples:,} validation examples"} | {
        f"Calibration error, {split}": f"{100 * was:.1f} %, now {100 * now:.1f} %" for split, (was, now) in errors.items()
    }
