"""The optimizer of a phase, with learning rates by group, a schedule, weight decay that spares norms and biases, and clipping."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from tl_core.phases.phase import Learning
from tl_core.phases.schedules import Ease, Piece, Schedule

MOMENTUM = 0.9
"""Of "sgd"."""


class Scheduled(keras.optimizers.schedules.LearningRateSchedule):
    """A `Schedule` as Keras wants it: the rate of a step, counted from 0, in a phase of `steps` steps.

    A step stands for the middle of its own stretch, so that the first one of a rise from 0 does something.
    """

    def __init__(self, schedule: Schedule, peak: float, steps: int) -> None:
        self.schedule, self.peak, self.steps = schedule, peak, steps

    def __call__(self, step: Any) -> Any:
        share = (ops.cast(step, "float32") + 0.5) / self.steps
        begins = [0.0, *(piece.until for piece in self.schedule.pieces[:-1])]
        factor = ops.cast(self.schedule.pieces[-1].end, "float32")
        for begin, piece in reversed(list(zip(begins, self.schedule.pieces, strict=True))):
            along = ops.clip((share - begin) / (piece.until - begin), 0.0, 1.0)
            factor = ops.where(share < piece.until, _between(piece, along), factor)
        return self.peak * factor

    def get_config(self) -> dict[str, Any]:
        """Return the settings, though not for saving: the optimizer of a phase lives no longer than the phase."""
        return {"peak": self.peak, "steps": self.steps}


def _between(piece: Piece, along: Any) -> Any:
    if piece.ease is Ease.GEOMETRIC:
        return piece.start * ops.exp(math.log(piece.end / piece.start) * along)
    eased = along if piece.ease is Ease.LINEAR else (1.0 - ops.cos(math.pi * along)) / 2.0
    return piece.start + (piece.end - piece.start) * eased


class Groups(keras.optimizers.MultiOptimizer):
    """Groups of variables, each with an optimizer of its own; the gradient is clipped over all of them together."""

    def __init__(self, optimizers: keras.optimizers.OptimizerMap, clip_norm: float | None) -> None:
        super().__init__(optimizers)
        self.global_clipnorm = clip_norm

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Clip the gradients, then let each group's optimizer do its step. A weight that no example meets has none: Keras refuses
        a group of nothing else."""
        variables = trainable_variables or self._trainable_variables
        known = [ops.zeros_like(each) if found is None else found for found, each in zip(grads, variables, strict=True)]
        super().apply(self._clip_gradients(known), trainable_variables)


def optimizer(variables: Sequence[Any], rates: Mapping[str, float], learning: Learning, steps: int) -> Any:
    """Return a Keras optimizer for the trained `variables`. `rates` holds each one's learning rate by its path, `steps` is how
    many steps the phase has. Variables of one rate share one optimizer."""
    found = sorted({rates[variable.path] for variable in variables}, reverse=True)
    if len(found) == 1:
        return _one(found[0], learning, steps, variables, clip_norm=learning.clip_norm)
    ones = {rate: _one(rate, learning, steps, variables, clip_norm=None) for rate in found}
    by_path = {variable.path: ones[rates[variable.path]] for variable in variables}
    return Groups(keras.optimizers.OptimizerMap(ones[found[0]], by_path), learning.clip_norm)


def _one(rate: float, learning: Learning, steps: int, variables: Sequence[Any], clip_norm: float | None) -> Any:
    """Return a Keras optimizer for variables of one learning rate.

    Args:
        rate: That before the schedule.
        learning: Says the kind of optimizer, the schedule and the weight decay.
        steps: How many the phase has.
        variables: Those that it moves.
        clip_norm: The longest that their gradient may be; None for no limit.
    """
    moving = rate if learning.schedule.is_constant else Scheduled(learning.schedule, rate, steps)
    options = {"weight_decay": learning.weight_decay or None, "global_clipnorm": clip_norm}
    if learning.optimizer == "sgd":
        made = keras.optimizers.SGD(moving, momentum=MOMENTUM, **options)
    elif learning.weight_decay:
        made = keras.optimizers.AdamW(moving, **options)
    else:
        made = keras.optimizers.Adam(moving, global_clipnorm=clip_norm)
    if learning.weight_decay:
        made.exclude_from_weight_decay(var_list=[variable for variable in variables if spared(variable)])
    return made


def spared(variable: Any) -> bool:
    """Return whether weight decay spares a variable: norms and biases have one axis (attention's biases two), kernels more."""
    return len(variable.shape) < 2 or variable.name == "bias"


class GradientNorms(keras.optimizers.Optimizer):
    """Moves nothing: it adds up the norm of each variable's gradient over the norm of the variable itself."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)

    def build(self, variables: Sequence[Any]) -> None:
        """Make a sum for each of `variables`."""
        super().build(variables)
        self._sums = [self.add_variable((), name=f"sum_{index}") for index, _ in enumerate(variables)]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Add the norms of one batch."""
        variables = trainable_variables or self._trainable_variables
        if not self.built:
            self.build(variables)
        for gradient, variable, total in zip(grads, variables, self._sums, strict=True):
            if gradient is None:  # of a weight that no example meets, such as the token of what is hidden from a transformer
                continue
            norms = (ops.sqrt(ops.sum(ops.square(ops.cast(each, "float32")))) for each in (gradient, variable))
            total.assign_add(ops.divide(*norms))
        self._iterations.assign_add(1)

    def norms(self) -> list[float]:
        """Return the mean over the batches, in the order of the variables."""
        batches = int(self.iterations)
        return [float(ops.convert_to_numpy(total)) / batches for total in self._sums]
