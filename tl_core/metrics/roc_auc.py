"""ROC AUC: how well each class is ranked before the rest."""

from math import log, nan, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import Z95
from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, Weights, register
from tl_core.metrics._curves import mean_over_classes
from tl_core.metrics._intervals import around


@register("roc_auc")
class RocAuc(Metric):
    """How often an example of a class has a higher probability for it than one of the rest, as the mean over the classes.

    Classes without an example are left out. The variance is that of DeLong et al. (1988), with the placements of each example
    averaged over the classes; the interval is symmetric in log odds, so that it stays within 0..1.
    """

    title: ClassVar[str] = "ROC AUC"
    listing_order: ClassVar[int] = 60

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import roc_auc_score  # a second to import

        return mean_over_classes(labels, probabilities, roc_auc_score) if np.ptp(labels) else nan

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        value, error = delong(labels, probabilities)
        if not (error > 0 and 0 < value < 1):
            return None
        odds, half = log(value / (1 - value)), Z95 * error / (value * (1 - value))
        return around(value, _logistic(odds - half), _logistic(odds + half))

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        areas = [area_of_class(labels == label, probabilities[:, label]) for label in np.unique(labels)]
        return lambda weights: np.mean([area(weights) for area in areas], axis=0)

    def passes(self, labels: Labels) -> int:
        return len(np.unique(labels))


def area_of_class(positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> Statistic:
    """Return, as a statistic, how often a positive example has a higher score than a negative one; ties count half."""
    order = np.argsort(scores, kind="stable")
    starts = np.unique(scores[order], return_index=True)[1]  # of examples of equal scores
    pairs, of_class = float(positive.sum()) * float((~positive).sum()), positive[order][:, np.newaxis]

    def area(weights: Weights) -> NDArray[np.float64]:
        ranked = weights[order]
        positives, negatives = (np.add.reduceat(ranked * own, starts, axis=0, dtype=np.int64) for own in (of_class, ~of_class))
        return (positives * (negatives.cumsum(axis=0) - negatives / 2)).sum(axis=0) / pairs

    return area


def delong(labels: Labels, probabilities: Probabilities) -> tuple[float, float]:
    """Return the mean AUC of the classes and its standard error; NaN both where a class has one example, or all of them."""
    n, deviations, areas = len(labels), np.zeros(len(labels)), []
    present, sizes = np.unique(labels, return_counts=True)
    if len(present) < 2 or sizes.min() < 2:
        return nan, nan
    for label, size in zip(present, sizes, strict=True):
        positive = labels == label
        of_class, of_rest = placements(positive, probabilities[:, label])
        areas.append(of_class.mean())
        deviations[positive] += (of_class - areas[-1]) / (size * len(present))
        deviations[~positive] += (of_rest - areas[-1]) / ((n - size) * len(present))
    squares = np.bincount(labels, deviations**2)[present]
    return float(np.mean(areas)), sqrt(float((squares * sizes / (sizes - 1)).sum()))


def placements(positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each positive example, the share of negative ones that it is ranked before, and for each negative example the
    share of positive ones that are ranked before it; ties count half. From ranks, as Sun and Xu (2014) do."""
    from scipy.stats import rankdata  # takes a second to import

    ranks, above, below = rankdata(scores), rankdata(scores[positive]), rankdata(scores[~positive])
    return (ranks[positive] - above) / len(below), 1 - (ranks[~positive] - below) / len(above)


def _logistic(odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(odds, -700, 700))))
