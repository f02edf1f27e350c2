"""The one training loop. Strategies never call it; `training` does, once a phase."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tl_core.datasets.images import Labels
from tl_core.events import Epoch, Reporter, Step
from tl_core.features.pixels import ahead
from tl_core.strategies import Phase


class Source(Protocol):
    """Inputs of a model that can be taken by their indices: sized images, or features in memory."""

    @property
    def labels(self) -> Labels:
        """The class index of each input (n,)."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        """The inputs at `indices`, first axis in that order."""
        ...


@dataclass(frozen=True)
class Features:
    """Features (n, size) float32 that a frozen network gave, and the labels (n,)."""

    values: NDArray[np.float32]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: NDArray[np.intp]) -> NDArray[np.float32]:
        """The features at `indices`."""
        return self.values[indices]


@dataclass
class Progress:
    """How much of the run's work is done, in the unit of `costs`."""

    total: float
    passed: float = 0.0
    steps: int = 0

    @property
    def done(self) -> float:
        """Share of the work done, 0..1; 0 until the whole is known."""
        return min(1.0, self.passed / self.total) if self.total else 0.0


def fit(
    model: Any,
    train: Source,
    validation: Source,
    phase: Phase,
    *,
    order: Callable[[int], NDArray[np.intp]],
    passes: float,
    progress: Progress,
    report: Reporter,
) -> Epoch:
    """Train the compiled `model` for all epochs of `phase`.

    `order(epoch)` gives the order of the training images (epochs count from 0), so that it depends on nothing
    but the run's seed. `passes` is what one epoch costs. Reports every step and epoch; whatever `report`
    raises ends the training. Gives back the last epoch.
    """
    last = None
    for epoch in range(phase.epochs):
        started = time.perf_counter()
        seen, sums = 0, np.zeros(2)
        for inputs, labels in batches(train, order(epoch), phase.batch_size):
            loss, accuracy = on_batch(model.train_on_batch, inputs, labels)
            seen += len(labels)
            sums += np.array([loss, accuracy]) * len(labels)
            progress.steps += 1
            progress.passed += passes * len(labels) / len(train)
            rate = seen / (time.perf_counter() - started)
            report(Step(phase.name, epoch + 1, progress.steps, loss, accuracy, rate, progress.done))
        held_out = assess(model, validation, phase.batch_size)
        seconds = time.perf_counter() - started
        loss, accuracy = (float(mean) for mean in sums / seen)
        last = Epoch(phase.name, epoch + 1, progress.steps, loss, accuracy, *held_out, seconds)
        report(last)
    if last is None:
        raise ValueError(f"The phase {phase.name} has no epochs.")
    return last


def assess(model: Any, source: Source, batch_size: int) -> tuple[float | None, float | None]:
    """Mean loss and accuracy of `model` over `source`; None where it is empty."""
    if not len(source):
        return None, None
    sums = np.zeros(2)
    for inputs, labels in batches(source, np.arange(len(source)), batch_size):
        sums += np.array(on_batch(model.test_on_batch, inputs, labels)) * len(labels)
    loss, accuracy = sums / len(source)
    return float(loss), float(accuracy)


def batches(source: Source, order: NDArray[np.intp], size: int) -> Iterator[tuple[NDArray[np.float32], Labels]]:
    """Inputs (float32) and labels in batches of `size` in the given order, the next one read ahead."""
    parts = np.split(order, range(size, len(order), size))
    return ahead((source.batch(part).astype(np.float32, copy=False), source.labels[part]) for part in parts)


def on_batch(step: Callable[..., Any], inputs: NDArray[np.float32], labels: Labels) -> tuple[float, float]:
    """Loss and accuracy of this batch alone: Keras resets its metrics after each of these calls."""
    logs = step(inputs, labels, return_dict=True)
    return float(logs["loss"]), float(logs["accuracy"])
