"""What metrics of predicted numbers have in common: labels and predictions are float64 (n,)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.label_kinds import NUMBERS, LabelKind
from tl_core.metrics import Metric

Numbers = NDArray[np.float64]


class NumberMetric(Metric):
    """Says in one number how near predicted numbers are to the true ones."""

    label_kind: ClassVar[LabelKind] = NUMBERS
    percent: ClassVar[bool] = False
    chooses: ClassVar[bool] = False
    """The squared error of the validation images does, in which a model is trained."""
