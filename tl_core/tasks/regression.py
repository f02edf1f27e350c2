"""Regression: a number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import NUMBERS, LabelKind
from tl_core.errors import SettingError
from tl_core.heads import FitsNumbers, Head
from tl_core.metrics import Metric, MetricValue
from tl_core.metrics.mae import MeanAbsoluteError
from tl_core.metrics.r2 import RSquared
from tl_core.notes import Note, NoteKind
from tl_core.phases.phase import Learning, Phase
from tl_core.tasks import Means, Outputs, Panel, Task, register

if TYPE_CHECKING:
    from tl_core.networks.classifier import Classifier

UNITS = "units"
"""The layer that turns what was learned into the unit of the labels."""
OTHERS = "Choose linear_probe, or a strategy that trains by gradient, such as fine_tuning or lp_ft."


@dataclass(frozen=True)
class NumberOutputs(Outputs):
    """A number. In training it is in standard deviations of the training labels, from their mean: so no setting of a strategy
    depends on the labels' unit, and a loss of 1 is what their mean alone would have.

    Args:
        names: Its name, alone.
        mean, deviation: Of the training labels.
    """

    mean: float
    deviation: float

    def joined(self, classifier: "Classifier") -> "Classifier":
        return classifier.activate("linear")

    def finished(self, model: Any) -> Any:
        """Return the model with a layer that gives the label's own unit."""
        import keras

        units = keras.layers.Rescaling(self.deviation, self.mean, dtype="float32", name=UNITS)
        return keras.Model(model.input, units(model.output), name=model.name)

    def predicted(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Return numbers (n,) float64 in the unit of the labels."""
        return np.asarray(outputs[:, 0].astype(np.float64) * self.deviation + self.mean)

    def of_logits(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        return logits

    def targets(self, labels: NDArray[Any], learning: Learning) -> NDArray[Any]:
        return self.solved(labels).astype(np.float32)

    def loss(self, learning: Learning) -> Any:
        """Return the mean squared error, in variances of the training labels."""
        import keras

        return keras.losses.MeanSquaredError()

    def metrics(self, learning: Learning) -> list[Any]:
        import keras

        return [keras.metrics.MeanSquaredError("squared_error")]

    def told(self, logs: Mapping[str, Any]) -> Means:
        return (float(logs["squared_error"]),)

    def solved(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the labels (n, 1) in deviations from their mean, float64."""
        return np.asarray((labels[:, None] - self.mean) / self.deviation)

    def sums_of_head(self, head: Head, features: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        return np.array([((head.logits(features) - self.solved(labels)) ** 2).sum()])


@register("regression")
class Regression(Task):
    """Predict a number, such as an age or a size."""

    title: ClassVar[str] = "Regression"
    listing_order: ClassVar[int] = 20
    label_kind: ClassVar[LabelKind] = NUMBERS
    primary: ClassVar[type[Metric]] = MeanAbsoluteError
    panels: ClassVar[tuple[Panel, ...]] = (Panel.PREDICTED, Panel.RESIDUALS, Panel.LARGEST_ERRORS)
    loss_title: ClassVar[str] = "Squared error"
    loss_unit: ClassVar[str] = "share of the variance"
    has_accuracy: ClassVar[bool] = False

    def outputs(self, names: Sequence[str], labels: NDArray[Any]) -> Outputs:
        return NumberOutputs(tuple(names), float(labels.mean()), float(labels.std()) or 1.0)

    def phase(self, phase: Phase) -> Phase:
        """Return the phase with a head for numbers where it computes one. Raises `SettingError` for what is about classes."""
        self.require_no_teacher(phase)
        if phase.learning.balanced or phase.learning.sampled or phase.learning.adjusted:
            why, way_out = "Classes cannot be balanced where a number is predicted", "Set strategy.balanced to none."
            raise SettingError(f"{why}: there are none.", way_out, received="balanced with regression")
        if phase.learning.soft:
            why = "Label smoothing, mixup and CutMix share a label among classes, and a number has none."
            raise SettingError(why, "Set all three to 0.", received=f"{phase.name} with regression")
        if not phase.solver:
            return phase
        if not isinstance(phase.solver, FitsNumbers):
            why = f"A head by {phase.solver.title} tells classes apart, and cannot predict a number."
            raise SettingError(why, OTHERS, received=f"{phase.solver.title} with regression")
        return replace(phase, solver=phase.solver.for_numbers())

    def of_saved(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Return numbers (n,) float64."""
        return outputs[:, 0].astype(np.float64)

    def badness(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
        """Return by how much each number is missed (n,)."""
        return np.abs(predicted - labels)

    def remarks(self, measured: Sequence[MetricValue]) -> Iterator[Note]:
        """Yield a note where no more than the mean of the numbers is shown to be predicted: the interval of R squared holds 0, or
        is below it."""
        for found in measured:
            if found.name == RSquared.name and found.low is not None and found.high is not None and found.low <= 0:
                yield Note(NoteKind.NO_BETTER_THAN_MEAN, tuple(round(each, 4) for each in (found.value, found.low, found.high)))
