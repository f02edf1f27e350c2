"""What stays of a run: plain values, written once when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import nan
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tl_core import former
from tl_core.events import Activity
from tl_core.heads import ChosenBy
from tl_core.networks.outline import Provenance
from tl_core.notes import StoredNote
from tl_core.precision import Precision, StoredPrecision


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")  # JSON has no number for a loss that is none


class Better(StrEnum):
    """Which of two values of a metric is the better one."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """Return 1 where the larger value is the better one, and -1 where the smaller one is."""
        return 1 if self is Better.HIGHER else -1


class MetricValue(_Plain):
    """What a metric gave of `n` examples: the name of the metric, its value, and its 95% interval.

    `value` is NaN where the metric is not defined on these examples. `low` and `high` are both None where there is no interval.
    `settings` are those of the metric that differ from its defaults.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    n: int
    better: Better
    settings: dict[str, Any] = {}


class Threshold(_Plain):
    """From which probability on an example is taken for the class, or said to have the label, `class_id`, fitted to `n`
    validation images; None where none of them is right often enough. There it has the `precision` and the `recall`, as found on
    the images that it was fitted to; a label that none of these has keeps 1/2, and has no precision."""

    class_id: int
    value: float | None
    n: int
    precision: float | None
    recall: float


class Measured(_Plain):
    """How good a model was: mean loss (cross-entropy in nats, or what the task has) and accuracy (0..1) of the training images,
    while an epoch learned from them, and of the validation images, after it; `validation_metric` is of the metric that chose,
    where one did. None is "not known": there were no such images, those to learn from were changed, the model went back to what
    it was before, or the task has no accuracy."""

    loss: float | None = None
    accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_metric: float | None = None


class FrozenPartRecord(_Plain):
    """What the part of a network that stayed as it is had to do: how many images it `computed`, by the title of the engine; how
    many were `reused`, since what it makes of them was in the cache; and `notes` of engines and the cache on why they were not
    quicker."""

    computed: dict[str, int] = {}
    reused: int = 0
    notes: tuple[StoredNote, ...] = ()


def _is_sentences(value: Any) -> bool:
    return isinstance(value, list | tuple)


StoredFrozenPart = Annotated[
    FrozenPartRecord, BeforeValidator(lambda value: former.frozen_part(value) if _is_sentences(value) else value)
]
"""A record in a stored file, where it was a list of sentences before."""


StoredChoice = Annotated[ChosenBy | None, BeforeValidator(lambda value: value if value in set(ChosenBy) else None)]
"""What chose, in a stored file: an empty text, or a word of somebody else's solver, is nothing that is known."""


class BestTrial(_Plain):
    """The trial that was kept of several: the name of its phase, its validation loss (nats), None where all diverged, and the
    value of the metric that chose it, where one did."""

    name: str
    loss: float | None
    value: float | None = None


class PhaseRecord(_Plain):
    """A phase as it was: what trained, and the proof that the rest did not move.

    `epochs` are those that it had; `best_epoch` is the one with which it ended where the best was kept, 0 for what it began
    with. `ended` is how good the model was then; None of a trial that others follow, which begin anew, and in results of before
    there was one. `learning_rate` is that of the head, None where the head was computed; `chosen` is then what was chosen for
    it on the way, and `chosen_by` what chose it. `best_trial` is told of the last of several trials. `remarks` are on what
    trained, and on the fit of the head.
    `trained` are the paths of the variables that an optimizer updated. `frozen_tensors` is the number of all
    other weights and statistics and `unchanged_tensors` how many of them are bit for bit what they were before.
    """

    name: str
    epochs: int
    learning_rate: float | None
    batch_size: int
    blocks: tuple[str, ...]
    trained: tuple[str, ...]
    trainable_parameters: int
    frozen_tensors: int
    unchanged_tensors: int
    best_epoch: int | None = None
    ended: Measured | None = None
    chosen: dict[str, float] = {}
    chosen_by: StoredChoice = None
    remarks: tuple[StoredNote, ...] = ()
    best_trial: BestTrial | None = None
    frozen_part: StoredFrozenPart = FrozenPartRecord()

    @model_validator(mode="before")
    @classmethod
    def _reads_former_records(cls, value: Any) -> Any:
        return former.phase(value) if isinstance(value, Mapping) else value


class Timing(_Plain):
    """Wall seconds of one part of a run, and the phase that it belongs to."""

    activity: Activity
    seconds: float
    phase: str = ""

    @model_validator(mode="before")
    @classmethod
    def _reads_former_titles(cls, value: Any) -> Any:
        return former.timing(value) if isinstance(value, Mapping) else value


class Result(_Plain):
    """The outcome of a run on the test images, and what it took.

    `class_names` are the names of the model's outputs where these are no classes, and `test_correct` is None where nothing is
    right or wrong. `test_digest` is a sha256 over the test images and labels: runs with equal digests can be compared image by
    image. `data_digest` is one over the content of all splits, as the run used them; empty in results of before there was one.
    `trainable_parameters` counts every parameter that trained in any phase. `resumed` is how often the run was interrupted and
    went on from a checkpoint. `frozen_part` is about the test images, as a phase's is about its own. `device` is what computed,
    "cpu" or "gpu", `metrics` are those of the test images, `train_sizes` the training images of each class, and `weights_digest`
    is a sha256 over the trained model's weights and statistics: empty in results of before they were told. `thresholds` are
    those that the metric which decides was fitted with. `flops` are those of the run (`planning.flops`), None if not known.
    """

    class_names: tuple[str, ...]
    train_images: int
    validation_images: int
    test_images: int
    test_correct: int | None
    test_digest: str
    validation_accuracy: float | None
    total_parameters: int
    trainable_parameters: int
    phases: tuple[PhaseRecord, ...]
    timings: tuple[Timing, ...]
    provenance: Provenance
    notes: tuple[StoredNote, ...]
    versions: dict[str, str]
    resumed: int = 0
    frozen_part: StoredFrozenPart = FrozenPartRecord()
    precision: StoredPrecision = Precision.FLOAT32
    data_digest: str = ""
    device: str = ""
    metrics: tuple[MetricValue, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    train_sizes: tuple[int, ...] = ()
    weights_digest: str = ""
    flops: float | None = None

    @property
    def accuracy(self) -> float:
        """Return the share of test images that were classified correctly, 0..1; NaN of a task that has no accuracy."""
        return nan if self.test_correct is None else self.test_correct / self.test_images

    @property
    def seconds(self) -> float:
        """Return the wall seconds inside `train`: data, backbone, all phases and the test. Starting Python is not in it. Of an
        interrupted run they are those of all its attempts, each up to the checkpoint that the next one began from."""
        return sum(timing.seconds for timing in self.timings)


@dataclass(frozen=True)
class Predictions:
    """What the model said of each test example.

    `labels` (n,) int64; `probabilities` (n, classes) float32. In regression both are numbers, (n,) float64: the true ones and the
    predicted ones. Where an example has several labels, `labels` are bool (n, labels), and `thresholds` (labels,) say from which
    probability on each is predicted; there are none where that is 1/2. The `hardest` examples are those whose true class, or
    labels, got the least probability, or whose number was missed by most: their indices (m,), pixels (m, size, size, 3) uint8 as
    the network saw them, none where they are no images, names (m,), and how what they say begins (m,), empty for images.
    """

    labels: NDArray[Any]
    probabilities: NDArray[Any]
    hardest: NDArray[np.int64]
    hardest_pixels: NDArray[np.uint8]
    hardest_names: NDArray[np.str_]
    hardest_texts: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    thresholds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def scores(self) -> NDArray[Any]:
        """Return what metrics take, `thresholded` where there are `thresholds`."""
        return thresholded(self.probabilities, self.thresholds) if len(self.thresholds) else self.probabilities


def thresholded(probabilities: NDArray[Any], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half of each probability (n, outputs), and another half from its threshold (outputs,) on: 1/2 there, or more."""
    return np.asarray((probabilities.astype(np.float64) + (probabilities >= thresholds)) / 2)


@dataclass(frozen=True)
class Outcome:
    """All that `train` gives back: the result, the predictions and the trained Keras model."""

    result: Result
    predictions: Predictions
    model: Any

    @property
    def accuracy(self) -> float:
        """Return the share of test images that were classified correctly, 0..1; NaN of a task that has no accuracy."""
        return self.result.accuracy
