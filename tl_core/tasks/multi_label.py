"""Multi-label classification: which of several labels an example has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import LabelKind
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.errors import SettingError
from tl_core.heads import FitsLabels, Head, OneVsRest
from tl_core.metrics import Metric
from tl_core.metrics.mean_average_precision import MeanAveragePrecision
from tl_core.phases.phase import Learning, Phase
from tl_core.result import Threshold
from tl_core.tasks import Means, Outputs, Panel, Task, register

if TYPE_CHECKING:
    from tl_core.networks.classifier import Classifier

OTHERS = "Choose linear_probe, or a strategy that trains by gradient, such as fine_tuning or lp_ft."


@dataclass(frozen=True)
class LabelOutputs(Outputs):
    """A probability of each label, whatever the others are: sigmoid, and the binary cross-entropy in nats, the mean over the
    labels."""

    def joined(self, classifier: "Classifier") -> "Classifier":
        return classifier.activate("sigmoid")

    def of_logits(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.special import expit

        return np.asarray(expit(logits))

    def targets(self, labels: NDArray[Any], learning: Learning) -> NDArray[Any]:
        """Return 1 where an example has a label, and 0 elsewhere (n, labels), float32."""
        return labels.astype(np.float32)

    def loss(self, learning: Learning) -> Any:
        """Return the binary cross-entropy. Smoothed, labels are half of the smoothing away from 0 and 1."""
        import keras

        return keras.losses.BinaryCrossentropy(label_smoothing=learning.label_smoothing)

    def metrics(self, learning: Learning) -> list[Any]:
        """Return the binary cross-entropy without penalties and smoothing."""
        import keras

        return [keras.metrics.BinaryCrossentropy("cross_entropy")]

    def told(self, logs: Mapping[str, Any]) -> Means:
        return (float(logs["cross_entropy"]),)

    def sums_of_head(self, head: Head, features: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        logits = head.logits(features)
        return np.array([np.logaddexp(0, np.where(labels, -logits, logits)).mean(axis=1).sum()])


@register("multi_label")
class MultiLabel(Task):
    """Tell which of several labels an example has: any number of them, or none."""

    title: ClassVar[str] = "Several labels"
    listing_order: ClassVar[int] = 15
    label_kind: ClassVar[LabelKind] = MULTI_LABELS
    primary: ClassVar[type[Metric]] = MeanAveragePrecision
    panels: ClassVar[tuple[Panel, ...]] = (Panel.LABELS, Panel.PRECISION_RECALL, Panel.WRONG_LABELS)
    has_accuracy: ClassVar[bool] = False
    fits_thresholds: ClassVar[bool] = True

    def outputs(self, names: Sequence[str], labels: NDArray[Any]) -> Outputs:
        return LabelOutputs(tuple(names))

    def phase(self, phase: Phase) -> Phase:
        """Return the phase with a head of each label where it computes one. Raises `SettingError` for what takes classes that
        exclude each other."""
        self.require_no_teacher(phase)
        if phase.learning.balanced or phase.learning.sampled or phase.learning.adjusted:
            why = "Classes cannot be balanced where an example has several labels: it is of no one class."
            raise SettingError(why, "Set strategy.balanced to none.", received="balanced with multi_label")
        if not phase.solver:
            return phase
        if not isinstance(phase.solver, FitsLabels):
            why = f"A head by {phase.solver.title} tells classes apart that exclude each other, and here they do not."
            raise SettingError(why, OTHERS, received=f"{phase.solver.title} with multi_label")
        return replace(phase, solver=OneVsRest(phase.solver))

    def badness(self, labels: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean cross-entropy of the labels of each example (n,)."""
        of_truth = np.where(labels, predicted, 1 - predicted).astype(np.float64)
        return -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean(axis=1)

    def thresholds(self, labels: NDArray[Any], predicted: NDArray[Any]) -> tuple[Threshold, ...]:
        """Return, for each label, from which probability on F1 is the largest on these examples; of equals the one nearest to
        1/2. A label that none of them has keeps 1/2."""
        return tuple(_threshold(label, labels[:, label], predicted[:, label]) for label in range(labels.shape[1]))


def _threshold(label: int, true: NDArray[np.bool_], scores: NDArray[np.float32]) -> Threshold:
    from sklearn.metrics import precision_recall_curve  # a second to import

    if not true.any() or not np.isfinite(scores).all():
        return Threshold(class_id=label, value=0.5, n=len(scores), precision=None, recall=0.0)
    precision, recall, values = precision_recall_curve(true, scores)
    precision, recall = precision[:-1], recall[:-1]  # the last pair has no threshold
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    place = best[np.argmin(np.abs(values[best] - 0.5))]
    found = {"value": float(values[place]), "precision": float(precision[place]), "recall": float(recall[place])}
    return Threshold(class_id=label, n=len(scores), **found)
