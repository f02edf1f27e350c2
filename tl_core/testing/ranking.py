"""What every transferability score keeps to: one number that is the higher the better the classes lie apart."""

import warnings
from itertools import product
from math import isfinite, isnan

import numpy as np

from tl_core.ranking import Labels, Matrix, TransferabilityScore

CLASSES, FEATURES = 4, 6


def check_classes_that_lie_apart_score_higher(part: type[TransferabilityScore]) -> None:
    """Check that clear classes score higher than blurred ones, and those higher than labels drawn by lot."""
    score = part.example()
    labels, clear, source = _examples(apart=6.0)
    _, blurred, doubtful = _examples(apart=1.0)
    drawn = np.random.default_rng(3).permutation(labels)
    found = [score.value(clear, labels, source), score.value(blurred, labels, doubtful), score.value(blurred, drawn, doubtful)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
    if part.percent:
        assert 0 <= found[-1] <= found[0] <= 1


def check_neither_order_nor_rotation_matters(part: type[TransferabilityScore]) -> None:
    """Check that shuffled examples, and features that are turned, score the same, and that nothing given is changed."""
    labels, features, source = _examples()
    score, before = part.example(), features.copy()
    expected = score.value(features, labels, source)
    order = np.random.default_rng(1).permutation(len(labels))
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(FEATURES, FEATURES)))[0]
    np.testing.assert_allclose(score.value(features @ turn, labels, source), expected, rtol=1e-6)
    np.testing.assert_allclose(score.value(features[order], labels[order], source[order]), expected, rtol=0.05)
    np.testing.assert_array_equal(features, before)


def check_samples_score_as_they_would_alone(part: type[TransferabilityScore]) -> None:
    """Check that `values` is the same each time, one number a sample, and that the whole is a sample like others."""
    labels, features, source = _examples()
    score, rng = part.example(), np.random.default_rng(4)
    samples = [np.arange(len(labels)), *(np.sort(rng.permutation(len(labels))[: len(labels) // 2]) for _ in range(3))]
    found = score.values(features, labels, samples, source)
    assert found.shape == (len(samples),)
    np.testing.assert_allclose(found[0], score.value(features, labels, source), rtol=1e-9)
    np.testing.assert_array_equal(score.values(features, labels, samples, source), found)


def check_scores_whatever_is_given(part: type[TransferabilityScore]) -> None:
    """Check that one example, one class, equal examples, and more features than examples give numbers or NaN, and no warning."""
    score = part.example()
    for n, classes, apart in product((1, 2, 3, 40), (1, 2, CLASSES), (0.0, 1.0, 1e6)):
        labels, features, source = _examples(n, apart)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for points in (features, np.zeros_like(features), np.tile(features, 20)):
                value = score.value(points, labels % classes, source)
                assert isnan(value) or isfinite(value)


def _examples(n: int = 120, apart: float = 2.0) -> tuple[Labels, Matrix, Matrix]:
    """Return labels (n,), features (n, `FEATURES`) whose classes lie so many deviations `apart`, and probabilities (n, `CLASSES`)
    of a source classifier that knows as much."""
    rng = np.random.default_rng(n)
    labels = np.arange(n) % CLASSES
    features = apart * np.eye(CLASSES, FEATURES)[labels] + rng.normal(size=(n, FEATURES))
    logits = features[:, :CLASSES] - features[:, :CLASSES].max(axis=1, keepdims=True)
    exponents = np.exp(logits)
    for given in (labels, features):
        given.flags.writeable = False
    return labels, features, exponents / exponents.sum(axis=1, keepdims=True)
