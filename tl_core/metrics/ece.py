"""Expected calibration error: how far confidence is from what is right."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.metrics import Better, Interval, Labels, Metric, Probabilities, register
from tl_core.metrics._intervals import Weights, bootstrap_interval, unweighted


@register("ece")
class ExpectedCalibrationError(Metric):
    """How far the model's confidence is from the share that is right: of 100 answers at 80 %, 80 should be right.

    Examples are put into bins of equal width by the probability of the class decided for (Guo et al. 2017); the difference
    between mean confidence and accuracy is averaged over the examples. It is never below 0, and larger the fewer the examples,
    also of a calibrated model: the interval, a stratified bootstrap that takes this into account, lies mostly below the value.
    Where the model is calibrated, half of such intervals still miss the 0.
    """

    title: ClassVar[str] = "Expected calibration error"
    better: ClassVar[Better] = Better.LOWER
    listing_order: ClassVar[int] = 80

    bins: int = Field(15, ge=1, le=1000, title="Bins", description="How many bins of confidence there are.")

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        return float(self.weighted(labels, probabilities, unweighted(labels))[0])

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        value = self.value(labels, probabilities)
        return bootstrap_interval(labels, value, lambda weights: self.weighted(labels, probabilities, weights), biased=True)

    def weighted(self, labels: Labels, probabilities: Probabilities, weights: Weights) -> NDArray[np.float64]:
        """Return the value (resamples,) of examples with these `weights` (n, resamples)."""
        from scipy.sparse import csr_array

        confidence = probabilities.max(axis=1).astype(np.float64)
        gaps = confidence - (probabilities.argmax(axis=1) == labels)
        edges = np.linspace(0, 1, self.bins + 1)[1:-1]
        cells = np.searchsorted(edges, confidence), np.arange(len(labels))
        of_bins = csr_array((gaps, cells), shape=(self.bins, len(labels))) @ weights
        return np.asarray(np.abs(of_bins).sum(axis=0) / weights.sum(axis=0))
