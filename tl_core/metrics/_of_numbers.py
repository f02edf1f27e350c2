"""What metrics of predicted numbers have in common: labels and predictions are float64 (n,)."""

from math import isnan, nan
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import NUMBERS, LabelKind
from tl_core.metrics import Interval, Metric, Sample
from tl_core.metrics._intervals import MAX_WORK, around, stratified_weights

Numbers = NDArray[np.float64]


class NumberMetric(Metric):
    """Says in one number how near predicted numbers are to the true ones."""

    label_kind: ClassVar[LabelKind] = NUMBERS
    percent: ClassVar[bool] = False

    def difference_of_samples(self, here: Sample, other: Sample) -> Interval | None:
        """Return the interval by a bootstrap that draws from each sample for itself. None where that takes too long, or where a
        value is not defined. Arguments as in `Metric`."""
        if max(len(here.labels), len(other.labels)) > MAX_WORK:
            return None
        drawn = [self._resampled(sample, seed) for seed, sample in enumerate((here, other))]
        if drawn[0] is None or drawn[1] is None:
            return None
        apart = drawn[0] - drawn[1]
        low, high = np.quantile(apart[np.isfinite(apart)], [0.025, 0.975]) if np.isfinite(apart).any() else (nan, nan)
        return around(here.found.value - other.found.value, float(low), float(high))

    def _resampled(self, sample: Sample, seed: int) -> Numbers | None:
        """Return the value in each resample (resamples,), drawn by `seed`; None where there is none."""
        if isnan(sample.found.value) or (statistic := self.statistic(sample.labels, sample.probabilities)) is None:
            return None
        return np.concatenate([statistic(weights) for weights in stratified_weights(sample.labels, seed=seed)])
