"""What a finished run said of other data than its own: plain values in the run's folder, beside its first test, which they leave
alone."""

from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tl_core.analysis.statements import apart, apart_in_unit, percent
from tl_core.analysis.statistics import Interval, difference_interval, wilson
from tl_core.errors import RunError
from tl_core.metrics import Metric, Sample, metric_of
from tl_core.notes import StoredNote
from tl_core.result import FrozenPartRecord, MetricValue, Result, StoredFrozenPart
from tl_core.runs import artifacts, compared
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store
from tl_core.spec import PartSpec
from tl_core.system.files import storage_error, write_whole

FOLDER, ASKED = "evaluations", "asked"
"""Where they are kept in a run's folder, and below that what is known of those that are at work, or have failed."""
ID_DIGITS = 16


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


class Difference(_Plain):
    """By how much a metric is above what it was on the run's own test, with the 95% interval; both ends are None where there is
    none."""

    name: str
    value: float
    low: float | None
    high: float | None


class ClassCount(_Plain):
    """How many examples a class had, and how many of them were classified correctly."""

    name: str
    examples: int
    correct: int


class Evaluation(_Plain):
    """A finished run's model, tested on other data.

    `at` is when it ended, in seconds since 1970, and `title` what the data were called. `splits` are how many examples those
    had that it was to be tested on, and `images` how many count: those that the run had not learned from. `digest` is a sha256
    over their content and labels. `metrics` are as in a `Result`; `differences` are those to the run's own test. `notes` say
    which examples were used and what differs. `frozen_part` is what computed the features. The run's own test, of the classes
    that these data have, is what they are compared with: of its `own_images` so many were `own_correct`, and it had
    `own_metrics`, none in evaluations of before they were kept. Where a number or labels are predicted, no example is right or
    wrong: `correct` and `own_correct` are None, and there are no `classes`.
    """

    at: float
    dataset: PartSpec
    title: str
    splits: dict[str, int]
    images: int
    correct: int | None
    own_images: int
    own_correct: int | None
    digest: str
    metrics: tuple[MetricValue, ...]
    differences: tuple[Difference, ...]
    classes: tuple[ClassCount, ...]
    notes: tuple[StoredNote, ...]
    seconds: float
    frozen_part: StoredFrozenPart = FrozenPartRecord()
    own_metrics: tuple[MetricValue, ...] = ()

    @property
    def accuracy(self) -> float:
        """Return the share of images that were classified correctly, 0..1; NaN where nothing is right or wrong, as all of these
        are then."""
        return _share(self.correct, self.images)

    @property
    def interval(self) -> Interval:
        """Return the 95% Wilson interval of the accuracy."""
        return _wilson(self.correct, self.images)

    @property
    def own_accuracy(self) -> float:
        """Return the share of the run's own test images, of the same classes, that were classified correctly, 0..1."""
        return _share(self.own_correct, self.own_images)

    @property
    def own_interval(self) -> Interval:
        """Return the 95% Wilson interval of that share."""
        return _wilson(self.own_correct, self.own_images)

    @property
    def gain(self) -> Interval:
        """Return the 95% interval of by how much the accuracy is above that of the run's own test (Newcombe 1998)."""
        return difference_interval(self.accuracy, self.interval, self.own_accuracy, self.own_interval)

    def told(self, metric: Metric, things: str) -> str:
        """Return how good the run is here and against its own test: its accuracy, or of a task without one its primary `metric`;
        `things` are what several examples are called."""
        if self.correct is not None:
            own = f"its own test, {percent(self.own_accuracy, self.own_interval)}"
            held = apart(self.accuracy - self.own_accuracy, self.gain, own)
            return f"{percent(self.accuracy, self.interval)} of {self.images:,} {things} right, {held}."
        here, there = (next(each for each in found if compared.is_of(each, metric)) for found in (self.metrics, self.own_metrics))
        by = next(each for each in self.differences if each.name == metric.name)
        ends, own = compared.ends_of(by), f"its own test, {compared.shown(there, metric)}"
        held = apart(by.value, ends, own) if metric.percent and ends else apart_in_unit(by.value, ends, own)
        return f"{metric.title} {compared.shown(here, metric)} on {self.images:,} {things}, {held}."


def _share(part: int | None, whole: int) -> float:
    return nan if part is None else part / whole


def _wilson(part: int | None, whole: int) -> Interval:
    return Interval(nan, nan) if part is None else wilson(part, whole)


class Testable(NamedTuple):
    """A finished run whose model can be used: the run, its folder and its result."""

    run: Run
    folder: Path
    result: Result


def finished(store: Store, run_id: str) -> Testable:
    """Return the run. Raises `RunError` where it has not ended well, or where what it left cannot be used."""
    run = store.run(run_id)
    if run.state is not State.DONE:
        raise RunError(
            f"Only a finished run has a model that can be asked, and this one is {run.state}.",
            "Choose one that is done.",
            received=run_id,
        )
    if run.unreadable:
        raise RunError(
            "The settings of this run are those of another version and cannot be read.", "Run it again.", received=run_id
        )
    folder = store.folder(run_id)
    if not (folder / artifacts.MODEL).is_file():
        raise RunError("The model of this run is not there any more.", "Run it again.", received=run_id)
    return Testable(run, folder, artifacts.read_result(folder))


class Said(NamedTuple):
    """What a model says of a test: the labels, what is predicted (as metrics take both), and what they give of them."""

    labels: NDArray[Any]
    predicted: NDArray[Any]
    metrics: Sequence[MetricValue]


def differences(here: Said, own: Said) -> Iterator[Difference]:
    """Yield by how much each metric is above its value on the run's own test, where both have it."""
    by_name = {metric.name: metric for metric in own.metrics}
    for found in here.metrics:
        if found.name not in by_name:
            continue
        samples = Sample(here.labels, here.predicted, found), Sample(own.labels, own.predicted, by_name[found.name])
        interval = metric_of(found).difference_of_samples(*samples)
        low, high = (interval.low, interval.high) if interval else (None, None)
        yield Difference(name=found.name, value=found.value - by_name[found.name].value, low=low, high=high)


def write(folder: Path, evaluation: Evaluation) -> None:
    """Keep it in the folder of its run. One of the same examples takes the place of the former one. Raises `RunError` where the
    run has been deleted meanwhile, and `StorageError`."""
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
    except FileNotFoundError:
        raise RunError("This run was deleted meanwhile.", received=folder.name) from None
    except OSError as error:
        raise storage_error(folder, error) from error
    content = evaluation.model_dump_json(indent=2) + "\n"
    name = f"{evaluation.digest[:ID_DIGITS]}.json"
    write_whole(folder / FOLDER / name, lambda path: path.write_text(content, encoding="utf-8"))


def read(folder: Path) -> tuple[Evaluation, ...]:
    """Return all of the run of `folder`, the newest first, without those of another version that cannot be read."""
    found = (_read(file) for file in (folder / FOLDER).glob("[!.]*.json"))
    return tuple(sorted((each for each in found if each), key=lambda each: -each.at))


def _read(file: Path) -> Evaluation | None:
    try:
        return Evaluation.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
