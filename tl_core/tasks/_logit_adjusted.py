"""A loss that makes up for classes of uneven shares."""

from typing import Any

import keras
import numpy as np
from keras import ops


class LogitAdjusted(keras.losses.Loss):
    """The `loss` of probabilities whose logits have the logarithm of their class's share added: that is, of probabilities times
    shares, brought to the sum 1 again (Menon et al. 2021, arXiv 2007.07314, with a temperature of 1)."""

    def __init__(self, loss: keras.losses.Loss, shares: Any) -> None:
        super().__init__(name="logit_adjusted")
        self._loss, self._shares = loss, np.asarray(shares, np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example."""
        weighted = y_pred * ops.convert_to_tensor(self._shares)
        return self._loss.call(y_true, weighted / ops.maximum(ops.sum(weighted, axis=-1, keepdims=True), 1e-30))
