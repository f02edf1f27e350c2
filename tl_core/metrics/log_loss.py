"""Log loss: the mean cross-entropy."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.analysis.statistics import mean_interval
from tl_core.metrics import Better, Interval, Labels, Metric, Probabilities, Statistic, register
from tl_core.metrics._intervals import around, mean_of


@register("log_loss")
class LogLoss(Metric):
    """The mean cross-entropy in nats: how surprised the model is by the true classes, so confident mistakes cost most.

    A probability of 0 counts as 2.2e-16. The interval is Student's t of the mean.
    """

    title: ClassVar[str] = "Log loss"
    better: ClassVar[Better] = Better.LOWER
    percent: ClassVar[bool] = False
    listing_order: ClassVar[int] = 50

    def value(self, labels: Labels, probabilities: Probabilities) -> float:
        from sklearn.metrics import log_loss  # a second to import

        exact = normalized(probabilities)
        return float(log_loss(labels, exact, labels=np.arange(exact.shape[1])))

    def interval(self, labels: Labels, probabilities: Probabilities) -> Interval | None:
        if len(labels) < 2:
            return None
        found = mean_interval(losses(labels, probabilities), lowest=0.0)
        return around(self.value(labels, probabilities), found.low, found.high)

    def statistic(self, labels: Labels, probabilities: Probabilities) -> Statistic:
        return mean_of(losses(labels, probabilities))


def losses(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return the cross-entropy of each example (n,) in nats."""
    eps = np.finfo(np.float64).eps  # as scikit-learn has it
    return -np.log(normalized(probabilities)[np.arange(len(labels)), labels].clip(eps, 1 - eps))


def normalized(probabilities: Probabilities) -> NDArray[np.float64]:
    """Return the probabilities in float64. In float32 they sum to 1 only to rounding, which scikit-learn warns of."""
    exact = probabilities.astype(np.float64)
    return exact / exact.sum(axis=1, keepdims=True)
