"""A loss of which a part goes by what a teacher says, and not by the labels."""

from typing import Any

import keras
from keras import ops

from tl_core.phases.teacher import Teacher


class Distilled(keras.losses.Loss):
    """The `loss` of the labels, mixed with the Kullback-Leibler divergence (nats) from what a teacher says, times the temperature
    squared, so that its gradient is as large at any temperature (Hinton et al. 2015, arXiv 1503.02531).

    It is that of `keras.distillation.LogitsDistillation`. Keras' `Distiller` is a model whose teacher computes in each step: here
    the teacher is asked once for each example, and a step costs what it costs without one. What it says stands in the targets
    behind the labels, (n, 2 * classes), softened already; where nothing does, (n, classes), the labels stand for it.
    """

    def __init__(self, loss: keras.losses.Loss, teacher: Teacher) -> None:
        super().__init__(name="distilled")
        self._loss, self._teacher = loss, teacher

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, of probabilities `y_pred` (n, classes)."""
        classes, temperature = y_pred.shape[-1], self._teacher.temperature
        softened = ops.softmax(ops.log(ops.maximum(y_pred, keras.config.epsilon())) / temperature)
        from_teacher = keras.losses.kl_divergence(y_true[:, -classes:], softened) * temperature**2
        return (1 - self._teacher.share) * self._loss.call(y_true[:, :classes], y_pred) + self._teacher.share * from_teacher


def of_labels() -> list[keras.metrics.Metric]:
    """Return the accuracy and the cross-entropy (nats) by the labels alone, which stand first in the targets."""

    def accuracy(y_true: Any, y_pred: Any) -> Any:
        return keras.metrics.categorical_accuracy(y_true[:, : y_pred.shape[-1]], y_pred)

    def cross_entropy(y_true: Any, y_pred: Any) -> Any:
        return keras.metrics.categorical_crossentropy(y_true[:, : y_pred.shape[-1]], y_pred)

    return [keras.metrics.MeanMetricWrapper(each, name=each.__name__) for each in (accuracy, cross_entropy)]
