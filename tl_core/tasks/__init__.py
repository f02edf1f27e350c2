"""Tasks: what is asked of the data. A task is one module of this package.

A task says what a label is, how a model's head ends, the loss, how predictions are scored and compared, and which panels of the
page Result fit. It knows nothing of backbones. To be listed it needs no Keras.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import LabelKind
from tl_core.errors import SettingError
from tl_core.heads import Head
from tl_core.metrics import Metric, MetricValue
from tl_core.notes import Note
from tl_core.phases.phase import Learning, Phase
from tl_core.registry import Part, Registry
from tl_core.result import Threshold

if TYPE_CHECKING:
    from tl_core.networks.classifier import Classifier

__all__ = ["Outputs", "Panel", "Task", "build", "register", "tasks"]

Means = tuple[float, ...]
"""A mean loss, and the accuracy (0..1) of a task that has one."""


class Panel(StrEnum):
    """A panel of the page Result about what a model said of the test images."""

    CONFUSION = "confusion"
    HARDEST = "hardest"
    CLASSES = "classes"
    PREDICTED = "predicted"
    RESIDUALS = "residuals"
    LARGEST_ERRORS = "largest errors"
    LABELS = "labels"
    PRECISION_RECALL = "precision and recall"
    WRONG_LABELS = "wrong labels"


@dataclass(frozen=True)
class Outputs(ABC):
    """The outputs of a model for one dataset: their `names`, how a head ends in them, and the loss that fits them to labels."""

    names: tuple[str, ...]

    @abstractmethod
    def joined(self, classifier: "Classifier") -> "Classifier":
        """Return a strategy's `classifier`, whose head ends in softmax, so that it ends as the task's does in training."""

    def finished(self, model: Any) -> Any:
        """Return the trained Keras `model` so that it gives what is predicted: what is saved."""
        return model

    def predicted(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Return what is predicted, from the `outputs` (n, outputs) of the model in training."""
        return outputs

    @abstractmethod
    def of_logits(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the model in training gives (n, outputs), of the `logits` of its head (n, outputs)."""

    @abstractmethod
    def targets(self, labels: NDArray[Any], learning: Learning) -> NDArray[Any]:
        """Return what the loss takes, of the labels (n, ...) of a batch."""

    @abstractmethod
    def loss(self, learning: Learning) -> Any:
        """Return the Keras loss that is minimised."""

    @abstractmethod
    def metrics(self, learning: Learning) -> list[Any]:
        """Return the Keras metrics of which `told` takes what a step reports, without weights, penalties and smoothing: the same
        quantity for every strategy."""

    @abstractmethod
    def told(self, logs: Mapping[str, Any]) -> Means:
        """Return what a model that is compiled with `metrics` tells of a batch."""

    def solved(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return what a head is computed for, of the training labels."""
        return labels

    @abstractmethod
    def sums_of_head(self, head: Head, features: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sums over `features` (n, features) of what `told` gives the means of, for a computed `head`."""


class Task(Part):
    """What is asked of the data: a class, a number."""

    label_kind: ClassVar[LabelKind]
    primary: ClassVar[type[Metric]]
    """The metric by which runs are ranked and told apart."""
    panels: ClassVar[tuple[Panel, ...]]
    """What the page Result draws of the test images, in this order."""
    loss_title: ClassVar[str] = "Loss"
    loss_unit: ClassVar[str] = "nats"
    has_accuracy: ClassVar[bool] = True
    """Whether a step reports an accuracy beside its loss."""
    fits_thresholds: ClassVar[bool] = False
    """Whether it has `thresholds`."""

    @abstractmethod
    def outputs(self, names: Sequence[str], labels: NDArray[Any]) -> Outputs:
        """Return the outputs of a model, by the `names` of the data, for these training `labels`."""

    @abstractmethod
    def phase(self, phase: Phase) -> Phase:
        """Return `phase`, which a strategy yields for classes, as it is for this task. Raises `SettingError` where it makes no
        sense for it."""

    def require_no_teacher(self, phase: Phase) -> None:
        """Raise `SettingError` where a teacher says of which class examples are; for a task whose labels are no classes."""
        if phase.learning.teacher:
            raise SettingError(
                "A teacher says how likely each of several classes is, and nothing else is learned from it.",
                "Choose another strategy, such as lp_ft, or the task classification.",
                received=f"a teacher with {self.name}",
            )

    def of_saved(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Return what is predicted, from the `outputs` (n, outputs) of a finished model: what is saved."""
        return outputs

    @abstractmethod
    def badness(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
        """Return how wrong each prediction is (n,): the largest are shown as the hardest images."""

    def thresholds(self, labels: NDArray[Any], predicted: NDArray[Any]) -> tuple[Threshold, ...]:
        """Return from which probabilities on each output is predicted, fitted to these, validation examples; none of a task whose
        predictions need no threshold."""
        return ()

    def right(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Return which predictions are right (n,); None where nothing is right or wrong."""
        return None

    def remarks(self, measured: Sequence[MetricValue]) -> Iterator[Note]:
        """Yield what one should know of a run, by what the metrics of its test images say."""
        yield from ()


tasks: Registry[Task] = Registry("task", "tl_core.tasks")
register = tasks.register
build = tasks.build
