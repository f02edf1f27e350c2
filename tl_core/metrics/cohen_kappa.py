"""Cohen's kappa: agreement beyond chance."""

from math import nan, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.metrics import Interval, Labels, Metric, Probabilities, Statistic, Weights, register
from tl_core.metrics._intervals import class_counts, mean_of, normal_interval


@register("cohen_kappa")
class CohenKappa(Metric):
    """How much oftener the model agrees with the labels than chance would: 1 is always, 0 no oftener than chance.

    Chance has the same shares of the classes (Cohen 1960). Its interval is from the variance of Fleiss, Cohen and Everitt (1969).
    """

    title: ClassVar[str] = "Cohen's kappa"
    percent: ClassVar[bool] = False
    proper: ClassVar[bool] = True
    listing_order: ClassVar[int] = 90

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import cohen_kappa_score  # a second to import

        predicted = probabilities.argmax(axis=1)
        return float(cohen_kappa_score(labels, predicted)) if np.ptp([labels, predicted]) else nan

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        kappa = self.value(labels, probabilities)
        return normal_interval(kappa, standard_error(labels, probabilities.argmax(axis=1), kappa), -1.0, 1.0)

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic | None:
        predicted, n = probabilities.argmax(axis=1), len(labels)
        classes = int(max(labels.max(), predicted.max())) + 1
        agreement, sizes = mean_of(labels == predicted), np.bincount(labels, minlength=classes)

        def kappas(weights: Weights) -> NDArray[np.float64]:
            by_chance = sizes @ class_counts(predicted, weights, classes) / n**2  # resamples keep the sizes of the classes
            return (agreement(weights) - by_chance) / (1 - by_chance)

        return kappas if np.count_nonzero(sizes) > 1 else None


def standard_error(labels: Labels, predicted: Labels, kappa: float) -> float:
    """Return the standard error of `kappa`; 0 where labels and predictions always agree. NaN for a kappa of NaN."""
    n, classes = len(labels), int(max(labels.max(), predicted.max())) + 1
    of_labels, of_predicted = (np.bincount(each, minlength=classes) / n for each in (labels, predicted))
    by_chance = float(of_labels @ of_predicted)
    # The sums over the cells of the confusion matrix, each taken over the examples in it.
    shares = of_predicted[labels] + of_labels[predicted]
    terms = np.where(labels == predicted, 1 - shares * (1 - kappa), shares * (1 - kappa))
    variance = float(np.mean(terms**2)) - (kappa - by_chance * (1 - kappa)) ** 2
    return sqrt(max(0.0, variance) / n) / (1 - by_chance)
