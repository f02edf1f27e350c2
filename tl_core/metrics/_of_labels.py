"""What metrics of several labels an example have in common: labels are bool (n, labels), and of what is said of them, (n, labels)
within 0..1, a label is predicted from 1/2 on."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import LabelKind
from tl_core.data.multi_labels import MULTI_LABELS
from tl_core.metrics import Metric
from tl_core.metrics._intervals import Weights

LabelSets = NDArray[np.bool_]
Said = NDArray[np.float64]
Totals = NDArray[np.int64]


class LabelMetric(Metric):
    """Says in one number how good predicted labels are, of which an example has any number."""

    label_kind: ClassVar[LabelKind] = MULTI_LABELS


def predicted(said: Said) -> LabelSets:
    """Return which labels are predicted (n, labels)."""
    return np.asarray(said >= 0.5)


def totals(true: LabelSets, found: LabelSets, weights: Weights) -> tuple[Totals, Totals]:
    """Return how often each label is rightly predicted in each resample, (labels, resamples), and how often it is there or
    predicted, of which both at once count twice."""
    right = (true & found).T.astype(np.int64) @ weights
    return right, (true.astype(np.int64) + found).T @ weights
