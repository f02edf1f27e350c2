"""Expected calibration error: how far confidence is from what is right."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from tl_core.metrics import Better, Interval, Labels, Metric, Probabilities, Statistic, register


@register("ece")
class ExpectedCalibrationError(Metric):
    """How far the model's confidence is from the share that is right: of 100 answers at 80 %, 80 should be right.

    Examples are put into bins of equal width by the probability of the class decided for (Guo et al. 2017); the difference
    between mean confidence and accuracy is averaged over the examples. It is never below 0, and larger the fewer the examples,
    also of a calibrated model, which is why neither it nor the difference of two models has an interval: half of those that a
    bootstrap gives for it would miss the true 0, and most of those for a difference the true one.
    """

    title: ClassVar[str] = "Expected calibration error"
    better: ClassVar[Better] = Better.LOWER
    listing_order: ClassVar[int] = 80
    chooses: ClassVar[bool] = False

    bins: int = Field(15, ge=1, le=1000, title="Bins", description="How many bins of confidence there are.")

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        confidence = probabilities.max(axis=1).astype(np.float64)
        gaps = confidence - (probabilities.argmax(axis=1) == labels)
        edges = np.linspace(0, 1, self.bins + 1)[1:-1]
        of_bins = np.bincount(np.searchsorted(edges, confidence), gaps, minlength=self.bins)
        return float(np.abs(of_bins).sum() / len(labels))

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        return None

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic | None:
        return None
