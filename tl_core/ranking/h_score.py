"""H-score, with a covariance that is shrunk."""

from math import nan
from typing import ClassVar

import numpy as np

from tl_core.heads.threads import one_thread
from tl_core.ranking import Labels, Matrix, TransferabilityScore, register


@register("h_score")
class HScore(TransferabilityScore):
    """How much of the spread of the features lies between the means of the classes; at most one less than there are classes.

    The covariance of the features is shrunk towards a sphere as Ledoit and Wolf do, without which the score says nothing where
    there are more features than examples (Bao et al. 2019; Ibrahim et al. 2021, arXiv 2110.06893).
    """

    title: ClassVar[str] = "H-score, shrunk"
    listing_order: ClassVar[int] = 40

    def value(self, features: Matrix, labels: Labels, source: Matrix | None = None) -> float:
        return _shrunk(features, labels)


@one_thread
def _shrunk(features: Matrix, labels: Labels) -> float:
    from sklearn.covariance import ledoit_wolf

    if len(labels) == 1:
        return nan
    centred = features - features.mean(axis=0)
    covariance, shrinkage = ledoit_wolf(centred, assume_centered=True)
    if not covariance.trace() > 0:
        return 0.0  # all features are the same
    present, counts = np.unique(labels, return_counts=True)
    means = np.stack([centred[labels == each].mean(axis=0) for each in present])
    between = means.T * (counts / max(1, len(labels) - 1)) @ means  # as the authors divide
    try:
        return float((1 - shrinkage) * np.trace(np.linalg.solve(covariance, between)))
    except np.linalg.LinAlgError:
        return nan  # so few examples that nothing could be shrunk
