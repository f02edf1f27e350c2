"""Recall at a precision: how much is found where so much of what is taken has to be right."""

from math import nan
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, Threshold, register
from tl_core.metrics._curves import Counts, curve_interval, curve_statistic, mean_over_classes, recall_at_precision


@register("recall_at_precision")
class RecallAtPrecision(Metric):
    """The greatest share of a class that a threshold finds while enough of what it takes in is of the class.

    As Keras' `RecallAtPrecision` has it, `class_id` names the one class that matters, such as the defect; without it each class
    has its own threshold, and the mean over the classes with an example is given. The threshold is the best one for these very
    examples, so the value is what is possible, not what a threshold that was chosen before attains; a run that it decides fits
    thresholds to its validation images. Its interval is a stratified bootstrap.
    """

    title: ClassVar[str] = "Recall at a precision"
    listing_order: ClassVar[int] = 100
    by_default: ClassVar[bool] = False
    fits_thresholds: ClassVar[bool] = True

    precision: float = Field(0.9, gt=0, le=1, title="Precision", description="The least share that has to be right, 0 to 1.")
    class_id: int | None = Field(
        None,
        ge=0,
        le=100_000,
        title="Class",
        description="The index of the class that matters, from 0. None is the mean over all classes.",
        json_schema_extra={"empty": "all classes"},
    )

    def suits(self, classes: int) -> bool:
        return self.class_id is None or self.class_id < classes

    def thresholds(self, labels: Labels, probabilities: Probabilities) -> tuple[Threshold, ...]:
        """Return, for each class that it is of, the threshold that finds the most of these examples at the precision."""
        return tuple(self._threshold(int(label), labels == label, probabilities[:, label]) for label in self._classes(labels))

    def _threshold(self, label: int, positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> Threshold:
        from sklearn.metrics import precision_recall_curve  # a second to import

        precision, recall, thresholds = precision_recall_curve(positive, scores)
        right = np.flatnonzero((precision[:-1] >= self.precision) & (recall[:-1] > 0))  # the last pair has no threshold
        if not len(right):
            return Threshold(class_id=label, value=None, n=len(scores), precision=None, recall=0.0)
        best = right[np.argmax(recall[right])]
        found = {"value": float(thresholds[best]), "precision": float(precision[best]), "recall": float(recall[best])}
        return Threshold(class_id=label, n=len(scores), **found)

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        if self.class_id is None:
            return mean_over_classes(labels, probabilities, self._recall)
        positive = labels == self.class_id
        return self._recall(positive, probabilities[:, self.class_id]) if positive.any() else nan

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        classes = self._classes(labels)
        return curve_interval(labels, probabilities, self.value, self._recalls, classes) if len(classes) else None

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic | None:
        classes = self._classes(labels)
        return curve_statistic(labels, probabilities, self._recalls, classes) if len(classes) else None

    def passes(self, labels: Labels) -> int:
        return len(self._classes(labels))

    def _classes(self, labels: Labels) -> Labels:
        """Return the classes that it is of and that have an example."""
        present = np.unique(labels)
        return present if self.class_id is None else present[present == self.class_id]

    def _recall(self, positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
        from sklearn.metrics import precision_recall_curve  # a second to import

        precision, recall, _ = precision_recall_curve(positive, scores)
        return float(recall[precision >= self.precision].max())  # it ends with a recall of 0 at a precision of 1

    def _recalls(self, right: Counts, taken: Counts) -> NDArray[np.float64]:
        return recall_at_precision(right, taken, self.precision)
