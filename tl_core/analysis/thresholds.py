"""Thresholds that were fitted before, and what one does on the test images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Interval, wilson
from tl_core.result import Threshold


@dataclass(frozen=True)
class AtThreshold:
    """Of the examples that a threshold takes for its class, `taken`, so many are `right`, of `present` ones of the class."""

    taken: int
    right: int
    present: int

    @property
    def precision(self) -> Interval | None:
        """Return the 95% Wilson interval of the share of what is taken that is right; None where nothing is taken."""
        return wilson(self.right, self.taken) if self.taken else None

    @property
    def recall(self) -> Interval | None:
        """Return the 95% Wilson interval of the share of the class that is found; None where the class has no example."""
        return wilson(self.right, self.present) if self.present else None


def threshold_values(thresholds: Sequence[Threshold]) -> NDArray[np.float64]:
    """Return the probabilities (outputs,) from which on outputs are predicted, by `thresholds` of all of them."""
    return np.array([np.inf if each.value is None else each.value for each in thresholds])


def at_threshold(labels: NDArray[np.int64], probabilities: NDArray[np.float32], threshold: Threshold) -> AtThreshold:
    """Return what `threshold` does on examples with these `labels` (n,) and `probabilities` (n, classes)."""
    is_taken = np.zeros(len(labels), bool)
    if threshold.value is not None:
        is_taken = probabilities[:, threshold.class_id] >= threshold.value
    positive = labels == threshold.class_id
    return AtThreshold(int(is_taken.sum()), int((is_taken & positive).sum()), int(positive.sum()))
