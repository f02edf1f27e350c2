"""The one training loop. Strategies never call it; `training` does, once a phase."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.balance import class_weights
from tl_core.events import Epoch, Reporter, Step
from tl_core.features.inputs import Inputs, as_taken
from tl_core.features.prefetch import in_batches, prefetch
from tl_core.heads import Head
from tl_core.strategies import Learning
from tl_core.tasks import Means, Outputs
from tl_core.training.prepared import PreparedPhase
from tl_core.training.scoring import FEATURE_BATCH, judged

Batch = tuple[Any, Any, Any]
LossAndAccuracy = tuple[float | None, float | None]
"""Means over examples; None where there are none, or the task has no accuracy."""


@dataclass
class EpochProgress:
    """One pass over the training images, as far as it has come: batches, images, sums over the images, wall seconds."""

    batches: int = 0
    images: int = 0
    loss: float = 0.0
    accuracy: float | None = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Return the images a second."""
        return self.images / self.seconds

    @property
    def means(self) -> tuple[float, float | None]:
        """Return loss and accuracy over its images."""
        return self.loss / self.images, None if self.accuracy is None else self.accuracy / self.images

    def add(self, images: int, loss: float, accuracy: float | None, seconds: float) -> None:
        """Add a batch with its mean loss and accuracy; `seconds` are those since the pass began."""
        self.batches += 1
        self.images += images
        self.loss += loss * images
        self.accuracy = None if accuracy is None or self.accuracy is None else self.accuracy + accuracy * images
        self.seconds = seconds


@dataclass
class Progress:
    """How far a run has come: with the weights, it decides all that follows.

    `passed` of `total` is the work done, in the unit of `costs`, and `steps` the batches of the whole run. `phase` and
    `epoch` count finished ones, the epochs within the present phase, and `now` is the pass after them.
    `loss` and `accuracy` are those of the training images in the last finished epoch, `validation_loss` and
    `validation_accuracy` those of the validation images after it; `best_loss` is the lowest validation loss of the present
    phase, `best_epoch` its epoch (0: what the phase began with) and `best_accuracy` the accuracy there. Where the model goes
    back to what it was, the first four are of that, None where they are not known. `counted` is how many phases there are
    whose frozen part `passed` includes. `validation_score` and `best_score` are those of the metric that chooses, if one does.
    """

    total: float
    passed: float = 0.0
    steps: int = 0
    phase: int = 0
    epoch: int = 0
    now: EpochProgress = field(default_factory=EpochProgress)
    validation_accuracy: float | None = None
    best_loss: float | None = None
    best_epoch: int = 0
    best_accuracy: float | None = None
    counted: int = 0
    validation_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    validation_score: float | None = None
    best_score: float | None = None

    @property
    def done(self) -> float:
        """Return the share of the work done, 0..1; 0 until the whole is known."""
        return self.share(0)

    @property
    def within_phase(self) -> bool:
        """Return whether the present phase has had a step."""
        return bool(self.epoch or self.now.batches)

    def share(self, more: float) -> float:
        """Return what `done` will be after `more` further passes, 0..1."""
        return min(1.0, (self.passed + more) / self.total) if self.total else 0.0

    def add_batch(self, images: int, loss: float, accuracy: float | None, seconds: float, passes_per_image: float) -> None:
        """Add a batch of the present pass.

        Args:
            images: How many it has.
            loss: Their mean loss (nats).
            accuracy: The share of them that is right, 0..1; None where the task has none.
            seconds: Those since the pass over the images began.
            passes_per_image: What an image costs, in passes of the cost model.
        """
        self.now.add(images, loss, accuracy, seconds)
        self.steps += 1
        self.passed += passes_per_image * images

    def end_epoch(self, loss: float | None, accuracy: float | None, score: float | None = None) -> bool:
        """End the present pass, given what it is on the validation images; return whether that is the best of its phase."""
        self.epoch += 1
        self.loss, self.accuracy = self.now.means if self.now.images else (None, None)
        self.now = EpochProgress()
        self.validation_loss, self.validation_accuracy, self.validation_score = loss, accuracy, score
        by_loss = score is None or (self.best_score is None and self.best_loss is not None)  # so an earlier version began it
        now, lowest = (loss, self.best_loss) if by_loss else (score, self.best_score)
        best = now is not None and now < (math.inf if lowest is None else lowest)  # nothing that is not finite is the best one
        if best:
            self.best_loss, self.best_epoch, self.best_accuracy, self.best_score = loss, self.epoch, accuracy, score
        return best

    def out_of_patience(self, learning: Learning) -> bool:
        """Return whether the present phase has had `learning.patience` epochs without a lower validation loss."""
        known = learning.patience is not None and (self.best_loss, self.best_score) != (None, None)
        return known and self.epoch - self.best_epoch >= (learning.patience or 0)

    def end_phase(self) -> None:
        """End the present phase."""
        self.phase += 1
        self.epoch, self.best_loss, self.best_epoch, self.best_accuracy, self.best_score = 0, None, 0, None, None


def fit(
    phase: PreparedPhase, progress: Progress, report: Reporter, keep_best: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Train `phase` for the epochs that are left, from where `progress` stands.

    `keep_best` is called after each epoch with the lowest validation loss so far, where the phase may go back to it.
    Reports every step and epoch, and yields at each moment from which training can go on: after a step within an epoch and
    after an epoch. `progress` is ahead of each report: training can go on from wherever `report` ends it by raising.
    """
    if not phase.epochs:
        raise ValueError(f"The phase {phase.name} has no epochs.")
    model, train = phase.model, phase.train
    training = TrainingBatches(phase)
    passes_per_image = phase.passes_per_epoch / len(train)
    while progress.epoch < phase.epochs and not progress.out_of_patience(phase.learning):
        now = progress.now
        started = time.perf_counter() - now.seconds
        left = phase.order(progress.epoch)[now.batches * phase.batch_size :]
        for batch in training.batches(left, (progress.epoch, now.batches)):
            loss, accuracy = loss_and_accuracy(phase.outputs.told(model.train_on_batch(*batch, return_dict=True)))
            progress.add_batch(len(batch[0]), loss, accuracy, time.perf_counter() - started, passes_per_image)
            report(Step(phase.name, progress.epoch + 1, progress.steps, loss, accuracy, now.rate, progress.done))
            if now.images < len(train):  # after the last one nobody could tell from its number whether the epoch was reported
                yield
        held_out = evaluate(model, phase.validation, phase.batch_size, phase.learning, phase.outputs)
        means, (value, score) = now.means, judged(model, phase.validation, phase.judge)
        if progress.end_epoch(*held_out, score) and phase.learning.keeps_best:
            keep_best()
        seconds = time.perf_counter() - started
        report(Epoch(phase.name, progress.epoch, progress.steps, *means, *held_out, seconds, value))
        yield


def warm_up(phase: PreparedPhase) -> None:
    """Do one training step on a full batch, for a model whose variables will be put back after it.

    TensorFlow compiles a step for the shape that it sees first, and for any size when it sees another one; the two may
    differ in the last bit. So the first batch must not be the short one at the end of an epoch.
    """
    plain = TrainingBatches(replace(phase, augment=None))
    for batch in plain.batches(np.arange(len(phase.train))[: phase.batch_size], (0, 0)):
        phase.model.train_on_batch(*batch)


def evaluate(model: Any, source: Inputs, batch_size: int, learning: Learning, outputs: Outputs) -> LossAndAccuracy:
    """Return the mean loss and the accuracy (0..1) of a model over all its inputs.

    Args:
        model: Compiled for a phase.
        source: Its inputs, of which there may be none.
        batch_size: So many at a time.
        learning: The phase's.
        outputs: What the model gives.
    """

    def sums(inputs: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.float64]:
        means = outputs.told(model.test_on_batch(inputs, outputs.targets(labels, learning), return_dict=True))
        return np.array(means) * len(labels)

    return _means(source, batch_size, sums)


def evaluate_head(head: Head, source: Inputs, outputs: Outputs) -> LossAndAccuracy:
    """Return what `evaluate` does, of a `head` over features: a network compiled for it takes as long as many a head."""
    return _means(source, FEATURE_BATCH, partial(outputs.sums_of_head, head))


def _means(source: Inputs, size: int, sums: Callable[[Any, NDArray[Any]], NDArray[np.float64]]) -> LossAndAccuracy:
    """Return the means over `source` of what `sums` adds up over each batch of `size`."""
    total: Any = 0.0
    for inputs, labels in batches(source, np.arange(len(source)), size):
        total += sums(inputs, labels)
    return loss_and_accuracy((total / len(source)).tolist()) if len(source) else (None, None)


def batches(source: Inputs, order: NDArray[np.intp], size: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Return inputs and labels in batches of `size` in the given order, the next one read ahead."""
    parts = in_batches(order, size)
    return prefetch((as_taken(source.batch(part)), source.labels[part]) for part in parts)


class TrainingBatches:
    """Makes batches into what a step of `phase` takes: inputs, targets, and the weight of each image or None."""

    def __init__(self, phase: PreparedPhase) -> None:
        self._source, self._size = phase.train, phase.batch_size
        self._outputs, self._learning, self._augment = phase.outputs, phase.learning, phase.augment
        self._taught = phase.taught
        self._weights = class_weights(phase.train.labels, len(phase.outputs.names)) if phase.learning.balanced else None

    def batches(self, order: NDArray[np.intp], first: tuple[int, int]) -> Iterator[Batch]:
        """Yield the batches in the given order, the next one made ready meanwhile; `first` is the number of the first one."""
        epoch, place = first
        return prefetch(self._batch(part, (epoch, place + index)) for index, part in enumerate(in_batches(order, self._size)))

    def _batch(self, part: NDArray[np.intp], number: tuple[int, int]) -> Batch:
        inputs, labels = as_taken(self._source.batch(part)), self._source.labels[part]
        aims = self._outputs.targets(labels, self._learning)
        if self._taught is not None:  # of each image once, whatever view of it this is
            aims = np.hstack([aims, self._taught[part % len(self._taught)]])
        if self._augment:
            inputs, aims = self._augment(inputs, aims, number)
        return inputs, aims, None if self._weights is None else self._weights[labels]


def loss_and_accuracy(means: Means) -> tuple[float, float | None]:
    """Return the loss and the accuracy of `means`, None where the task has none."""
    return means[0], means[1] if len(means) > 1 else None
