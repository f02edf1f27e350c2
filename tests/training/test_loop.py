"""The training loop alone, on a network of one layer."""

import math
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.events import Epoch, Event, Step
from tl_core.features.inputs import Features
from tl_core.strategies import Learning, Phase, nothing
from tl_core.tasks.classification import ClassOutputs
from tl_core.training.freezing import Frozen
from tl_core.training.loop import Progress, batches, evaluate, fit
from tl_core.training.prepared import PreparedPhase

PLAIN = Learning()
TWO = ClassOutputs(("0", "1"), np.full(2, 0.5))
PHASE = Phase("head", epochs=3, learning_rate=0.05, batch_size=4, trains=nothing)


def features(count: int) -> Features:
    """Two classes that a line tells apart."""
    labels = np.arange(count, dtype=np.int64) % 2
    noise = np.random.default_rng(0).normal(0, 0.3, (count, 3)).astype(np.float32)
    return Features(noise + labels[:, None].astype(np.float32), labels)


def network() -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=TWO.loss(PLAIN), metrics=TWO.metrics(PLAIN))
    return model


def in_order(count: int) -> Any:
    return lambda epoch: np.arange(count)


def prepared(model: Any, train: Features, validation: Features, phase: Phase, **more: Any) -> PreparedPhase:
    """The compiled `model` and its inputs as `phase` has them."""
    own = {name: getattr(phase, name) for name in ("name", "learning", "epochs", "batch_size")}
    usual = {"outputs": TWO, "order": in_order(len(train)), "passes_per_epoch": 1.0, "frozen": Frozen((), {})}
    return PreparedPhase(model=model, train=train, validation=validation, **(own | usual | more))


def run(model: Any, train: Features, validation: Features, order: Any = None, phase: Phase = PHASE) -> tuple[list[Event], Epoch]:
    """All events, and the last of them, which is that of an epoch."""
    events: list[Event] = []
    ready = prepared(model, train, validation, phase, order=order or in_order(len(train)), passes_per_epoch=100)
    exhaust(fit(ready, Progress(total=100 * phase.epochs), events.append))
    assert isinstance(events[-1], Epoch)
    return events, events[-1]


def exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def test_every_step_and_epoch_is_reported_in_order() -> None:
    events, last = run(network(), features(10), features(6))
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Step", "Step", "Step", "Epoch"] * 3
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.step for step in steps] == list(range(1, 10))
    assert [step.epoch for step in steps] == [1] * 3 + [2] * 3 + [3] * 3
    assert [step.done for step in steps] == pytest.approx([0.4 / 3, 0.8 / 3, 1 / 3, 1.4 / 3, 1.8 / 3, 2 / 3, 2.4 / 3, 2.8 / 3, 1])
    assert all(step.images_per_second > 0 for step in steps)
    assert (last.phase, last.epoch, last.step) == ("head", 3, 9)


def test_it_learns() -> None:
    events, last = run(network(), features(40), features(20), phase=Phase("head", 20, 0.05, 8, trains=nothing))
    first = next(event for event in events if isinstance(event, Epoch))
    assert last.loss < first.loss / 2
    assert last.validation_accuracy is not None
    assert last.validation_accuracy > 0.9


def test_a_step_has_its_own_loss_and_an_epoch_their_mean() -> None:
    """Keras' metrics would run on from batch to batch. A rate of zero keeps the weights, so that all can be said again."""
    model = network()
    model.optimizer.learning_rate = 0.0
    data = features(10)
    events, last = run(model, data, features(7))
    steps = [event for event in events if isinstance(event, Step)][:3]
    alone = [evaluate(model, Features(data.values[a:b], data.labels[a:b]), 10, PLAIN, TWO) for a, b in ((0, 4), (4, 8), (8, 10))]
    assert [step.loss for step in steps] == pytest.approx([loss for loss, _ in alone], rel=1e-5)
    assert [step.accuracy for step in steps] == pytest.approx([accuracy for _, accuracy in alone])
    assert (last.loss, last.accuracy) == pytest.approx(evaluate(model, data, 3, PLAIN, TWO), rel=1e-5)
    assert (last.validation_loss, last.validation_accuracy) == pytest.approx(
        evaluate(model, features(7), 7, PLAIN, TWO), rel=1e-5
    )


def test_no_validation_images_no_validation_numbers() -> None:
    _, last = run(network(), features(8), features(0))
    assert (last.validation_loss, last.validation_accuracy) == (None, None)


def test_the_order_is_asked_for_each_epoch_and_kept() -> None:
    asked = []

    def order(epoch: int) -> NDArray[np.intp]:
        asked.append(epoch)
        return np.random.default_rng(epoch).permutation(10)

    first, _ = run(network(), features(10), features(4), order)
    second, _ = run(network(), features(10), features(4), order)
    backwards, _ = run(network(), features(10), features(4), lambda epoch: np.arange(10)[::-1])
    losses = [[event.loss for event in events if isinstance(event, Step)] for events in (first, second, backwards)]
    assert asked == [0, 1, 2] * 2
    assert losses[0] == losses[1] != losses[2]


def test_batches_follow_the_order_and_cover_it() -> None:
    data = Features(np.arange(20, dtype=np.float64).reshape(10, 2), np.arange(10))  # type: ignore[arg-type]
    order = np.random.default_rng(0).permutation(10)
    got = list(batches(data, order, 4))
    assert [len(labels) for _, labels in got] == [4, 4, 2]
    assert np.concatenate([labels for _, labels in got]).tolist() == order.tolist()
    assert all(inputs.dtype == np.float32 for inputs, _ in got)


class EnoughError(Exception):
    """What a reporter may raise."""


def test_what_the_reporter_raises_ends_it_and_leaves_no_thread() -> None:
    before = threading.active_count()
    seen: list[Event] = []

    def report(event: Event) -> None:
        seen.append(event)
        if len(seen) == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        exhaust(fit(prepared(network(), features(100), features(4), PHASE), Progress(1), report))
    assert len(seen) == 2
    assert threading.active_count() == before


def test_what_the_data_raise_comes_through() -> None:
    class Damaged(Features):
        def batch(self, indices: NDArray[np.intp]) -> NDArray[np.float32]:
            if 9 in indices:
                raise DataError("This image cannot be decoded.")
            return super().batch(indices)

    data = features(10)
    with pytest.raises(DataError):
        run(network(), Damaged(data.values, data.labels), features(4))


def test_a_phase_without_epochs_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no epochs"):
        run(network(), features(4), features(4), phase=Phase("head", 0, 0.1, 4, trains=nothing))


def test_a_loss_that_is_no_number_is_never_the_best() -> None:
    progress = Progress(total=3)
    found = [progress.end_epoch(loss, accuracy) for loss, accuracy in ((math.nan, 0.1), (2.0, 0.5), (math.inf, 0.1), (3.0, 0.6))]
    assert found == [False, True, False, False]
    assert (progress.best_loss, progress.best_epoch, progress.best_accuracy) == (2.0, 2, 0.5)
