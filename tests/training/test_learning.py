"""The way of learning: schedules, pictures that change, classes of unequal size, and knowing when to stop."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from tests.training.test_loop import PHASE, exhaust, features, network, prepared
from tl_core.data.balance import class_weights
from tl_core.events import Epoch, Event
from tl_core.features.inputs import Features
from tl_core.phases.phase import Augmentation
from tl_core.phases.schedules import CONSTANT, Schedule, cosine, one_cycle, rising, steps_down
from tl_core.strategies import Learning
from tl_core.training.augmentation import Augmenter
from tl_core.training.loop import Progress, fit
from tl_core.training.optimizers import Scheduled

SCHEDULES = {"constant": CONSTANT, "cosine": cosine(), "one cycle": one_cycle(), "steps": steps_down((0.4, 0.6, 0.8), 0.2)}
SCHEDULES["rising"] = rising(1e-6)
PICTURES = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3)).astype(np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)[np.arange(6) % 3]


@pytest.mark.parametrize("name", SCHEDULES)
def test_keras_steps_as_the_schedule_says(name: str) -> None:
    """The plain one, which is drawn, against the one that trains; with every step at the middle of its own stretch."""
    schedule, steps = SCHEDULES[name], 40
    keras_one = Scheduled(schedule, 0.5, steps)
    said = [float(keras_one(keras.ops.convert_to_tensor(step))) for step in range(steps)]
    np.testing.assert_allclose(said, [0.5 * schedule.factor((step + 0.5) / steps) for step in range(steps)], rtol=1e-4, atol=1e-7)
    assert max(said) <= 0.5
    assert min(said) > 0


@given(drawn.sampled_from(sorted(SCHEDULES)), drawn.floats(0, 1))
def test_a_schedule_stays_between_its_ends(name: str, share: float) -> None:
    assert 0 <= SCHEDULES[name].factor(share) <= 1


def test_schedules_at_known_places() -> None:
    assert [cosine(0.1).factor(share) for share in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert [one_cycle().factor(share) for share in (0, 0.25, 1)] == pytest.approx([0.04, 1, 1e-5])
    assert [SCHEDULES["steps"].factor(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)] == pytest.approx([0.5, 1, 0.1, 0.01, 0.001])
    assert [SCHEDULES["rising"].factor(share) for share in (0, 0.5, 1)] == pytest.approx([1e-6, 1e-3, 1])
    assert Schedule().is_constant
    assert not cosine().is_constant


ALL_WAYS = [
    Learning(augmentation=Augmentation.FLIP),
    Learning(augmentation=Augmentation.FLIP_AND_CROP),
    Learning(augmentation=Augmentation.RAND_AUGMENT),
    Learning(mixup=0.4),
    Learning(cutmix=1.0),
    Learning(augmentation=Augmentation.RAND_AUGMENT, mixup=0.4, cutmix=1.0),
]


@pytest.mark.parametrize("learning", ALL_WAYS, ids=str)
def test_pictures_depend_on_their_number_and_on_nothing_else(learning: Learning) -> None:
    """A run that is interrupted meets the same pictures, whatever was drawn before; another epoch meets others."""
    first, second = Augmenter(learning, 32, (0, 1)), Augmenter(learning, 32, (0, 1))
    second(PICTURES, ONE_HOT, (5, 5))
    for one, other in zip(first(PICTURES, ONE_HOT, (0, 3)), second(PICTURES, ONE_HOT, (0, 3)), strict=True):
        np.testing.assert_array_equal(one, other)
    seen = [first(PICTURES, ONE_HOT, (epoch, 0))[0].tobytes() for epoch in range(4)]
    assert len(set(seen)) > 1


@pytest.mark.parametrize("learning", ALL_WAYS, ids=str)
def test_pictures_stay_pictures_and_labels_stay_shares(learning: Learning) -> None:
    pixels, labels = Augmenter(learning, 32, (0, 1))(PICTURES, ONE_HOT, (0, 0))
    assert pixels.shape == PICTURES.shape
    assert pixels.dtype == np.float32
    assert pixels.min() >= 0
    assert pixels.max() <= 255.01
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-5)
    assert learning.soft or np.array_equal(labels, ONE_HOT)


def test_a_mirrored_picture_is_the_picture_or_its_mirror_image() -> None:
    pixels, _ = Augmenter(ALL_WAYS[0], 32, (0, 1))(PICTURES, ONE_HOT, (0, 0))
    same = [np.array_equal(one, other) for one, other in zip(pixels, PICTURES, strict=True)]
    mirrored = [np.array_equal(one[:, ::-1], other) for one, other in zip(pixels, PICTURES, strict=True)]
    assert all(one != other for one, other in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def test_class_weights_make_up_for_shares() -> None:
    labels = np.array([0, 0, 0, 2], np.int64)
    weights = class_weights(labels, 3)
    np.testing.assert_allclose(weights, [2 / 3, 0, 2])
    assert weights[labels].mean() == pytest.approx(1)


def test_a_phase_ends_when_patience_does_and_says_which_epoch_was_best() -> None:
    """A rate so high that the loss on other data rises again."""
    phase = replace(PHASE, epochs=50, learning_rate=1.0, learning=Learning(patience=3))
    progress, events, kept = Progress(total=50), list[Event](), list[int]()
    model, data = network(), features(40)
    model.optimizer.learning_rate = 1.0
    others = Features(-data.values, data.labels)
    ready = prepared(model, data, others, phase)
    exhaust(fit(ready, progress, events.append, keep_best=lambda: kept.append(progress.epoch)))
    losses = [event.validation_loss for event in events if isinstance(event, Epoch)]
    best = int(np.argmin(losses)) + 1  # type: ignore[arg-type]
    assert len(losses) == best + 3 < 50
    assert (progress.best_epoch, kept[-1]) == (best, best)


def test_without_validation_images_nothing_ends_early() -> None:
    phase = replace(PHASE, learning=Learning(patience=1))
    progress = Progress(total=3)
    exhaust(fit(prepared(network(), features(8), features(0), phase), progress, lambda event: None))
    assert progress.epoch == phase.epochs
