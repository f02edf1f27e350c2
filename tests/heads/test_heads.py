"""Heads that are computed from features, held to independent computations of what they claim to be."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_info, threadpool_limits

from tests.helpers import python
from tl_core.errors import DataError, SettingError
from tl_core.heads import Head, class_means, head2toe, logistic, newton, normalised, ridge, space
from tl_core.heads.closed_form import DEFAULT_MEANS_TEMPERATURE, PENALTIES, temperature
from tl_core.heads.head import ChosenBy
from tl_core.heads.logistic_regression import (
    DEFAULT_STRENGTH,
    FOLDS,
    MAX_HELD_OUT,
    STRENGTHS,
    LogisticSolver,
    folds,
)
from tl_core.heads.threads import one_thread
from tl_core.notes import Note, NoteKind

Array = NDArray[np.float64]
Solve = Callable[..., Head]
SOLVERS = pytest.mark.parametrize("solve", [logistic, ridge, class_means, head2toe])
SHAPES = pytest.mark.parametrize(("each", "width"), [(12, 5), (4, 40)], ids=["more images", "more features"])


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """What is compared with is on one thread, too."""
    with threadpool_limits(1, user_api="blas"):
        yield


def clusters(each: int, width: int, classes: int = 3, apart: float = 1.0, seed: int = 0) -> tuple[Array, NDArray[np.intp]]:
    """`each` images of every class around a mean of its own, in mixed order, off the origin."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.repeat(np.arange(classes), each))
    means = generator.normal(size=(classes, width)) * apart
    return 3.0 + means[labels] + generator.normal(size=(len(labels), width)), labels


def loss(logits: Array, labels: NDArray[np.intp]) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def accuracy(head: Head, features: Array, labels: NDArray[np.intp]) -> float:
    return float((head.logits(features).argmax(axis=1) == labels).mean())


def cl2n(features: Array, centre: Array) -> Array:
    offsets = features - centre
    return offsets / np.linalg.norm(offsets, axis=1, keepdims=True)


def test_a_head_is_a_normalisation_an_affine_map_and_softmax() -> None:
    generator = np.random.default_rng(0)
    features, kernel = generator.normal(size=(6, 5)), generator.normal(size=(5, 3))
    bias, centre = generator.normal(size=3), generator.normal(size=5)
    np.testing.assert_allclose(Head(kernel, bias).logits(features), features @ kernel + bias)
    offsets = features - centre
    parts = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (offsets[:, :2], offsets[:, 2:])]
    head = Head(kernel, bias, centre, (2, 3))
    np.testing.assert_allclose(head.logits(features), np.hstack(parts) @ kernel + bias)
    np.testing.assert_allclose(head.probabilities(features), softmax(np.hstack(parts) @ kernel + bias, axis=1))
    assert head.unit
    assert not Head(kernel, bias).unit


def test_what_lies_at_the_centre_stays_there() -> None:
    centre = np.array([1000.0, 0.0, 2000.0])
    noise = np.array([[1e-5, 0, 0], [0, 0, -1e-5], [0, 0, 0]])
    assert np.linalg.norm(normalised(centre + noise, centre, (3,)), axis=1).max() < 0.1
    np.testing.assert_array_equal(normalised(np.zeros((1, 3)), None, (1, 2)), np.zeros((1, 3)))
    np.testing.assert_allclose(np.linalg.norm(normalised(centre + 1e5 * noise, centre, (3,)), axis=1), [1, 1, 0])


def slope(points: Array, labels: NDArray[np.intp], strength: float, kernel: Array, bias: Array, weights: Array) -> Array:
    """The gradient of strength * sum(weighted losses) + |kernel|^2 / 2 by kernel and bias, written out."""
    errors = weights[labels][:, None] * (softmax(points @ kernel + bias, axis=1) - np.eye(len(bias))[labels])
    return np.vstack([strength * points.T @ errors + kernel, strength * errors.sum(axis=0)])


@SHAPES
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_logistic_is_at_the_minimum(each: int, width: int, normalise: bool, strength: float) -> None:
    features, labels = clusters(each, width)
    weights = np.array([1.0, 0.5, 3.0])
    head = logistic(features, labels, 3, strength=strength, normalise=normalise, class_weights=weights)
    points = cl2n(features, features.mean(axis=0)) if normalise else features
    scale = strength * weights[labels].sum()
    gradient = slope(points, labels, strength, head.kernel, head.bias, weights)
    assert np.abs(gradient).max() / scale < 1e-7  # of points divided by their length it is ten times smaller
    assert head.kernel.dtype == head.bias.dtype == np.float64
    assert (head.chosen_by, head.converged, head.remarks) == (ChosenBy.GIVEN, True, ())
    assert head.chosen["C"] == pytest.approx(strength)
    assert head.iterations > 0


@pytest.mark.parametrize(("strength", "off"), [(1.0, 1e-5), (1e2, 1e-4), (1e3, 1e-4), (1e5, 1e-2)])
def test_every_probability_is_right(strength: float, off: float) -> None:
    """A small gradient alone does not make it so: where the penalty is weak it is small far from the minimum, too."""
    features, labels = load_digits(return_X_y=True)
    train, test, known, _ = train_test_split(features, labels, train_size=600, random_state=0, stratify=labels)
    centre = train.mean(axis=0)
    exact = LogisticRegression(solver="newton-cholesky", C=strength, tol=1e-12, max_iter=1000).fit(cl2n(train, centre), known)
    found = logistic(train, known, 10, strength=strength).probabilities(test)
    assert np.abs(found - exact.predict_proba(cl2n(test, centre))).max() < off


@SHAPES
def test_logistic_is_what_scipy_finds(each: int, width: int) -> None:
    features, labels = clusters(each, width)
    points, ones = cl2n(features, features.mean(axis=0)), np.ones(3)

    def objective(flat: Array) -> tuple[float, Array]:
        kernel, bias = flat.reshape(-1, 3)[:-1], flat.reshape(-1, 3)[-1]
        value = 5.0 * len(labels) * loss(points @ kernel + bias, labels) + (kernel**2).sum() / 2
        return value, slope(points, labels, 5.0, kernel, bias, ones).ravel()

    found = minimize(objective, np.zeros((width + 1) * 3), jac=True, options={"gtol": 1e-9}).x.reshape(-1, 3)
    head = logistic(features, labels, 3, strength=5.0)
    np.testing.assert_allclose(head.kernel, found[:-1], atol=1e-4)
    np.testing.assert_allclose(head.bias - head.bias.mean(), found[-1] - found[-1].mean(), atol=1e-4)


@SHAPES
@pytest.mark.parametrize("classes", [2, 4])
def test_the_space_of_the_images_holds_the_same_solution(each: int, width: int, classes: int) -> None:
    """The library itself, on all features, gives the same head; for two classes by a sigmoid."""
    features, labels = clusters(each, width, classes)
    head = logistic(features, labels, classes, strength=20.0)
    points = cl2n(features, features.mean(axis=0))
    model = LogisticRegression(C=20.0, tol=1e-8, max_iter=10_000).fit(points, labels)
    others, _ = clusters(5, width, classes, seed=1)
    expected = model.predict_proba(cl2n(others, features.mean(axis=0)))
    np.testing.assert_allclose(head.probabilities(others), expected, atol=1e-4)
    assert head.kernel.shape == (width, classes)


def test_the_penalty_is_chosen_on_the_validation_images() -> None:
    features, labels = clusters(15, 10, apart=0.4)
    others, answers = clusters(30, 10, apart=0.4)
    centre = features.mean(axis=0)

    def held_out(strength: float) -> float:
        model = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(cl2n(features, centre), labels)
        return loss(model.decision_function(cl2n(others, centre)), answers)

    best = min(STRENGTHS, key=held_out)
    assert STRENGTHS[0] < best < STRENGTHS[-1]
    head = logistic(features, labels, 3, validation=(others, answers))
    assert (head.chosen, head.chosen_by) == ({"C": best}, ChosenBy.VALIDATION)
    again = logistic(features, labels, 3, strength=best)
    np.testing.assert_allclose(head.kernel, again.kernel, atol=1e-5)  # validation images choose, and are never fitted to
    np.testing.assert_allclose(head.bias, again.bias, atol=1e-5)


def test_without_validation_images_the_penalty_is_chosen_by_folds() -> None:
    features, labels = clusters(15, 10, apart=0.4)
    points = cl2n(features, features.mean(axis=0))

    def held_out(strength: float) -> float:
        losses = []
        for held in folds(labels):
            model = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(points[~held], labels[~held])
            losses.append(loss(model.decision_function(points[held]), labels[held]))
        return float(np.mean(losses))

    head = logistic(features, labels, 3)
    assert (head.chosen, head.chosen_by) == ({"C": min(STRENGTHS, key=held_out)}, ChosenBy.CROSS_VALIDATION)
    unknown = logistic(np.vstack([features]), labels, 4, validation=(features[:3], np.full(3, 3)))
    assert (unknown.chosen, unknown.chosen_by) == (head.chosen, ChosenBy.CROSS_VALIDATION)
    empty = logistic(features, labels, 3, validation=(features[:0], labels[:0]))
    assert empty.chosen == head.chosen


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_folds(drawn: list[int]) -> None:
    labels = np.unique(drawn, return_inverse=True)[1]
    parts, counts = folds(labels), np.bincount(labels)
    assert bool(parts) == bool((counts > 1).any())
    for held in parts:
        assert held.any()
        assert set(labels[~held]) == set(labels)  # every class is trained on
        spread = np.bincount(labels[held], minlength=len(counts))
        assert (np.abs(spread - counts / FOLDS)[counts > 1] < 1).all()
    if parts:
        together = np.sum(parts, axis=0)
        np.testing.assert_array_equal(together, counts[labels] > 1)  # each is held out once, unless it is alone


def test_large_sets_need_fewer_folds() -> None:
    labels = np.arange(100 * MAX_HELD_OUT) % 7
    assert len(folds(labels)) == 1
    assert folds(labels)[0].sum() >= MAX_HELD_OUT
    assert len(folds(labels[:MAX_HELD_OUT])) == FOLDS


def test_class_weights_are_repetitions() -> None:
    features, labels = clusters(8, 4)
    twice = np.concatenate([np.arange(len(labels)), np.flatnonzero(labels == 1)])
    weighted = logistic(features, labels, 3, strength=0.3, normalise=False, class_weights=[1, 2, 1])
    repeated = logistic(features[twice], labels[twice], 3, strength=0.3, normalise=False)
    np.testing.assert_allclose(weighted.probabilities(features), repeated.probabilities(features), atol=1e-5)


@pytest.mark.parametrize("solve", [logistic, ridge, class_means])
def test_without_normalisation_the_unit_of_the_features_does_not_matter(solve: Solve) -> None:
    features, labels = clusters(8, 6)
    for factor in (1e-3, 1e4):
        same = solve(features, labels, 3, normalise=False)
        scaled = solve(features * factor, labels, 3, normalise=False)
        np.testing.assert_allclose(scaled.probabilities(features * factor), same.probabilities(features), atol=1e-4)
        assert not same.unit
        assert same.centre is None


@pytest.mark.parametrize("bits", [64, 32])
def test_what_does_not_settle_is_a_note_and_no_warning(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton, "STEPS", 2)
    monkeypatch.setattr(space, "MANY_NUMBERS", 0)
    features, labels = clusters(8, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head = logistic(features.astype(f"float{bits}"), labels, 3, strength=100.0)
    assert not head.converged
    assert head.remarks == (Note(NoteKind.NOT_CONVERGED, (2,)),)
    assert head.iterations == 2
    assert accuracy(head, features, labels) > 0.5


@pytest.mark.parametrize(("strength", "least"), [(1e-6, 0.3), (1e14, 0.9)])
@pytest.mark.parametrize("width", [3, 60])
def test_a_penalty_beyond_measure_and_one_of_nothing(strength: float, least: float, width: int) -> None:
    """Where classes lie apart the coefficients would grow without end, and where they do not their curvature is all but 0."""
    features, labels = clusters(10, width, apart=10.0)
    for images in (features, np.random.default_rng(0).permutation(features)):
        head = logistic(images, labels, 3, strength=strength)
        assert head.converged
        assert np.isfinite(head.probabilities(images)).all()
    assert accuracy(logistic(features, labels, 3, strength=strength), features, labels) >= least


@pytest.mark.parametrize("factor", [0.0, 1e-25, 1e15])
@pytest.mark.parametrize("strength", [1e-30, 1.0])
def test_features_of_which_nothing_can_be_learned(factor: float, strength: float) -> None:
    """Every image then gets the shares of the classes, be the features all the same or next to nothing."""
    images = 0.1 + factor * np.random.default_rng(0).normal(size=(90, 3))
    if factor == 1e15:
        strength *= 1e-60
    head = logistic(images, np.repeat([0, 1], [30, 60]), 2, strength=strength, normalise=False)
    assert head.converged
    np.testing.assert_allclose(head.probabilities(images), [[1 / 3, 2 / 3]] * 90, atol=1e-6)


def test_weights_of_classes_that_are_far_apart() -> None:
    generator = np.random.default_rng(5)
    for _ in range(6):
        labels = np.repeat(np.arange(30), generator.integers(1, 12, size=30))
        features = generator.normal(size=(len(labels), 100))
        weights = 10 ** generator.uniform(-5, 5, size=30)
        head = logistic(features, labels, 30, strength=3e4, class_weights=weights)
        assert head.converged
        assert accuracy(head, features, labels) > 0.5  # of the others all but nothing counts


def test_a_weak_penalty_on_wrong_labels_takes_few_steps() -> None:
    """Their directions take hundreds of inner ones; those that end early lead nowhere."""
    features, labels = load_digits(return_X_y=True)
    wrong = np.random.default_rng(0).random(600) < 0.4
    labels = np.where(wrong, np.random.default_rng(1).integers(0, 10, 600), labels[:600])
    head = logistic(features[:600], labels, 10, strength=1e5)
    assert head.converged
    assert head.iterations < 40


def test_a_step_that_does_not_descend_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clusters(8, 6)
    monkeypatch.setattr(newton.Objective, "direction", lambda objective, gradient, probabilities: gradient)
    head = logistic(features, labels, 3, strength=100.0)
    assert not head.converged
    assert not head.kernel.any()


@SHAPES
def test_ridge_leaves_each_image_out_exactly(each: int, width: int) -> None:
    """By as many refits as there are images, for each penalty."""
    features, labels = clusters(each, width, apart=0.5)
    points, targets = cl2n(features, features.mean(axis=0)), 2 * np.eye(3)[labels] - 1

    def fitted(penalty: float, rows: NDArray[np.intp]) -> tuple[Array, Array]:
        mean, goal = points[rows].mean(axis=0), targets[rows].mean(axis=0)
        offsets = points[rows] - mean
        kernel = np.linalg.solve(offsets.T @ offsets + penalty * np.eye(width), offsets.T @ (targets[rows] - goal))
        return kernel, goal - mean @ kernel

    def left_out(penalty: float) -> Array:
        everything = np.arange(len(labels))
        fits = [fitted(penalty, np.delete(everything, index)) for index in everything]
        return np.stack([points[index] @ kernel + bias for index, (kernel, bias) in enumerate(fits)])

    best = min(PENALTIES, key=lambda penalty: float(((left_out(penalty) - targets) ** 2).mean()))
    heat = temperature(left_out(best), labels)
    head = ridge(features, labels, 3)
    assert head.chosen["penalty"] == pytest.approx(best)
    assert head.chosen["temperature"] == pytest.approx(heat, rel=1e-3)
    kernel, bias = fitted(best, np.arange(len(labels)))
    np.testing.assert_allclose(head.kernel * head.chosen["temperature"], kernel, atol=1e-6)
    np.testing.assert_allclose(head.bias * head.chosen["temperature"], bias, atol=1e-6)


@SHAPES
@pytest.mark.parametrize("normalise", [True, False])
def test_class_means_are_direct_distances(each: int, width: int, normalise: bool) -> None:
    features, labels = clusters(each, width, apart=0.5)
    points = cl2n(features, features.mean(axis=0)) if normalise else features
    means = np.stack([points[labels == index].mean(axis=0) for index in range(3)])
    head = class_means(features, labels, 3, normalise=normalise)
    heat = head.chosen["temperature"]
    direct = -((points[:, None] - means) ** 2).sum(axis=2)
    np.testing.assert_allclose(head.probabilities(features), softmax(direct / heat, axis=1), atol=1e-9)

    for index, label in enumerate(labels):
        own = (labels == label) & (np.arange(len(labels)) != index)
        direct[index, label] = -((points[index] - points[own].mean(axis=0)) ** 2).sum()
    assert heat == pytest.approx(temperature(direct, labels), rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(4)), st.integers(1, 6), st.booleans())
def test_class_means_do_not_depend_on_the_order_of_the_classes(order: list[int], each: int, normalise: bool) -> None:
    features, labels = clusters(each, 7, classes=4)
    other = class_means(features, np.array(order)[labels], 4, normalise=normalise)
    same = class_means(features, labels, 4, normalise=normalise)
    np.testing.assert_allclose(other.probabilities(features)[:, order], same.probabilities(features), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 1000))
def test_class_means_do_not_depend_on_origin_unit_and_direction(unit: float, origin: float, seed: int) -> None:
    features, labels = clusters(5, 6)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0]
    moved = unit * features @ turn + origin
    same, other = class_means(features, labels, 3), class_means(moved, labels, 3)
    np.testing.assert_allclose(other.probabilities(moved), same.probabilities(features), atol=1e-6)


@pytest.mark.parametrize("truth", [0.05, 1.0, 30.0])
def test_temperature_finds_the_one_that_labels_were_drawn_with(truth: float) -> None:
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(20_000, 4)) * truth * 2
    chances = softmax(scores / truth, axis=1)
    labels = (generator.random((20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    assert temperature(scores, labels) == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize(("images", "classes"), [(4, 2), (60, 3)])
def test_temperature_of_scores_that_are_never_wrong_is_not_0(images: int, classes: int) -> None:
    """The claimed probability is that of the rule it follows: one more image that could be of any class."""
    labels = np.arange(images) % classes
    scores = 10.0 * np.eye(classes)[labels]
    certain = softmax(scores / temperature(scores, labels), axis=1).max()
    assert certain == pytest.approx((images + 1 / classes) / (images + 1), abs=1e-4)
    assert temperature(np.ones((images, classes)), labels) == 1.0


def test_temperature_has_the_least_loss() -> None:
    generator = np.random.default_rng(1)
    labels = np.arange(500) % 5
    scores = 0.3 * np.eye(5)[labels] + generator.normal(size=(500, 5)) * 0.2
    best = np.exp(minimize_scalar(lambda log: loss(scores / np.exp(log), labels), bounds=(-5, 3), method="bounded").x)
    assert temperature(scores, labels) == pytest.approx(best, rel=0.03)


@SOLVERS
def test_classes_without_images(solve: Solve) -> None:
    """Columns are in the order of the classes, and absent classes are out of the question wherever one looks."""
    features, labels = clusters(6, 5, apart=3.0)
    names = np.array([4, 1, 2])
    head = solve(features, names[labels], 6)
    assert head.kernel.shape == (5, 6)
    anywhere = np.random.default_rng(2).normal(size=(200, 5)) * np.logspace(-3, 6, 200)[:, None]
    assert head.probabilities(anywhere)[:, [0, 3, 5]].max() < 1e-12
    fewer = solve(features, names[labels] - 1, 4)
    np.testing.assert_allclose(head.probabilities(features)[:, 1:5], fewer.probabilities(features), atol=1e-9)
    assert accuracy(head, features, names[labels]) > 0.8


@SOLVERS
@pytest.mark.parametrize("normalise", [True, False])
def test_one_image_a_class(solve: Solve, normalise: bool) -> None:
    features = np.eye(4, 9) * 5 + 1
    head = solve(features, np.arange(4), 4, normalise=normalise)
    assert head.chosen_by == ChosenBy.DEFAULT
    assert accuracy(head, features, np.arange(4)) == 1.0
    assert 0.5 < head.probabilities(features).max() < 1.0


def test_the_defaults_for_one_image_a_class() -> None:
    features = np.eye(4, 9) * 5 + 1
    assert logistic(features, np.arange(4), 4).chosen == {"C": DEFAULT_STRENGTH}
    assert class_means(features, np.arange(4), 4).chosen == {"temperature": DEFAULT_MEANS_TEMPERATURE}


@SOLVERS
def test_one_class_with_one_image_among_others(solve: Solve) -> None:
    features, labels = clusters(5, 6)
    kept = np.append(np.flatnonzero(labels != 2), np.flatnonzero(labels == 2)[0])
    head = solve(features[kept], labels[kept], 3)
    assert head.chosen_by != ChosenBy.DEFAULT
    assert np.isfinite(head.kernel).all()
    assert accuracy(head, features[kept], labels[kept]) > 0.8


@SOLVERS
@pytest.mark.parametrize("count", [1, 5])
def test_one_class(solve: Solve, count: int) -> None:
    features, _ = clusters(2, 4)
    head = solve(features[:count], np.full(count, 1), 3)
    np.testing.assert_allclose(head.probabilities(features)[:, 1], 1.0, atol=1e-12)
    assert head.remarks == (Note(NoteKind.ONE_CLASS),)


@SOLVERS
def test_constant_features(solve: Solve) -> None:
    """Where images cannot be told apart the head is as sure as the classes are frequent, or does not know."""
    labels = np.array([0, 1, 1, 1, 0, 1, 1, 1])
    head = solve(np.full((8, 3), 0.1), labels, 2)
    chances = head.probabilities(np.full((1, 3), 0.1))[0]
    assert np.isfinite(chances).all()
    assert chances[1] == pytest.approx(0.75, abs=0.26)
    if solve in (logistic, head2toe):
        assert chances[1] == pytest.approx(0.75, abs=1e-4)


@SOLVERS
def test_a_constant_feature_changes_nothing(solve: Solve) -> None:
    features, labels = clusters(6, 5)
    more = np.hstack([features[:, :2], np.full((len(labels), 1), 0.3), features[:, 2:]])
    normalise = solve is not head2toe  # which divides by a norm that the constant is part of
    expected = solve(features, labels, 3, normalise=normalise).probabilities(features)
    np.testing.assert_allclose(solve(more, labels, 3, normalise=normalise).probabilities(more), expected, atol=1e-4)


@SOLVERS
def test_the_same_bits_each_time(solve: Solve) -> None:
    features, labels = clusters(6, 30)
    first, second = solve(features.astype(np.float32), labels, 3), solve(features.astype(np.float32), labels, 3)
    np.testing.assert_array_equal(first.kernel, second.kernel)
    np.testing.assert_array_equal(first.bias, second.bias)
    assert first.chosen == second.chosen
    assert first.kernel.dtype == np.float64


@SOLVERS
def test_the_order_of_the_images_does_not_matter_to_what_is_learned(solve: Solve) -> None:
    features, labels = clusters(6, 5)
    order = np.argsort(labels, kind="stable")
    settings = {"validation": (features, labels)} if solve in (logistic, head2toe) else {}
    first, second = solve(features, labels, 3, **settings), solve(features[order], labels[order], 3, **settings)
    np.testing.assert_allclose(second.probabilities(features), first.probabilities(features), atol=1e-3)


@SOLVERS
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite(solve: Solve, wrong: float) -> None:
    features, labels = clusters(3, 4)
    features[5, 2] = wrong
    with pytest.raises(DataError, match=r"not finite numbers.*Choose another backbone.*Received: 1 of 9 images, .* position 5"):
        solve(features, labels, 3)


@SOLVERS
def test_no_images(solve: Solve) -> None:
    with pytest.raises(DataError, match="no training image"):
        solve(np.zeros((0, 4)), np.zeros(0, int), 3)


def test_validation_features_that_are_not_finite() -> None:
    features, labels = clusters(3, 4)
    with pytest.raises(DataError, match="not finite"):
        logistic(features, labels, 3, validation=(features * np.nan, labels))


@pytest.mark.parametrize("strength", [0, -1.0, np.nan, np.inf])
def test_a_strength_that_cannot_be(strength: float) -> None:
    features, labels = clusters(3, 4)
    with pytest.raises(SettingError, match=r"above 0.*Received"):
        logistic(features, labels, 3, strength=strength)


@pytest.mark.parametrize("weights", [[1, 2], [1, 0, 1], [1, -1, 1], [1, np.nan, 1]])
def test_weights_that_cannot_be(weights: list[float]) -> None:
    features, labels = clusters(3, 4)
    for solve in (logistic, head2toe):
        with pytest.raises(SettingError, match=r"3 positive numbers.*Received"):
            solve(features, labels, 3, class_weights=weights)


def test_labels_that_cannot_be_are_a_bug() -> None:
    features, labels = clusters(3, 4)
    for wrong in (labels + 1, labels - 1, labels[:-1]):
        with pytest.raises(ValueError, match="labels"):
            logistic(features, wrong, 3)


def test_two_classes_have_two_columns_with_one_sigmoid() -> None:
    features, labels = clusters(10, 4, classes=2, apart=0.5)
    head = logistic(features, labels, 2, strength=3.0)
    points = cl2n(features, features.mean(axis=0))

    def objective(flat: Array) -> float:
        margins = (2 * labels - 1) * (points @ flat[:-1] + flat[-1])
        return float(3.0 * np.logaddexp(0, -margins).sum() + (flat[:-1] ** 2).sum() / 2)

    found = minimize(objective, np.zeros(5), options={"gtol": 1e-7}).x
    np.testing.assert_allclose(head.kernel[:, 1] - head.kernel[:, 0], found[:-1], atol=1e-4)
    assert head.bias[1] - head.bias[0] == pytest.approx(found[-1], abs=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("made", [LogisticSolver, LogisticSolver.nearly])
def test_each_fit_begins_where_the_last_one_ended(made: Callable[..., LogisticSolver], classes: int) -> None:
    features, labels = clusters(20, 8, classes)
    solver = made(features, labels, np.ones(classes))
    first = solver.fit(1.0)
    again = solver.fit(1.0)
    assert again.steps < first.steps / 4
    np.testing.assert_allclose(again.kernel, first.kernel, atol=1e-3)
    np.testing.assert_allclose(again.bias, first.bias, atol=1e-3)
    assert again.coefficients.dtype == (np.float64 if made is LogisticSolver else np.float32)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_head_begins_where_its_penalty_was_chosen(classes: int) -> None:
    features, labels = clusters(100, 8, classes, apart=0.5)
    found = logistic(features, labels, classes)
    anew = logistic(features, labels, classes, strength=found.chosen["C"])
    np.testing.assert_allclose(found.probabilities(features), anew.probabilities(features), atol=1e-5)
    assert found.iterations < anew.iterations


@pytest.fixture(scope="module")
def digits() -> list[NDArray[Any]]:
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images, labels, test_size=0.5, stratify=labels, random_state=0)


@pytest.mark.parametrize(
    ("solve", "normalise", "least"),
    [(logistic, False, 0.95), (logistic, True, 0.95), (ridge, True, 0.91), (class_means, True, 0.88), (head2toe, True, 0.95)],
)
def test_real_digits(digits: list[NDArray[Any]], solve: Solve, normalise: bool, least: float) -> None:
    """And the probabilities mean what they say: the mean of the largest is near the share that is right."""
    train, test, answers, truth = digits
    head = solve(train, answers, 10, normalise=normalise)
    found = accuracy(head, test, truth)
    assert found >= least
    assert head.probabilities(test).max(axis=1).mean() == pytest.approx(found, abs=0.03)


def test_one_thread_computes() -> None:
    def threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert one_thread(threads)() == {1}
        assert threads() == before


ALONE = """
import sys
import numpy as np
from tl_core import heads
print(sorted({"sklearn", "scipy"} & set(sys.modules)))
features, labels = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3
for solve in (heads.logistic, heads.ridge, heads.class_means, heads.head2toe):
    solve(features, labels, 3).probabilities(features)
print(sorted({"keras", "tensorflow", "streamlit", "torch", "jax"} & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_before_it_is_needed_and_keras_never() -> None:
    done = python(ALONE)
    assert (done.out, done.code) == ("[]\n[]\n", 0), done.err


def test_very_many_images_stay_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clusters(each=40, width=6, apart=0.6)
    others = clusters(each=20, width=6, apart=0.6, seed=1)
    narrow = features.astype(np.float32)
    given = narrow.copy()
    exact = logistic(features, labels, 3, validation=others)
    monkeypatch.setattr(space, "MANY_NUMBERS", 0)
    head = logistic(narrow, labels, 3, validation=others)
    assert space.Space.of((narrow, labels), 3, normalise=True).points.dtype == np.float32
    assert (narrow == given).all()
    assert head.chosen["C"] == pytest.approx(exact.chosen["C"], rel=1e-4)
    assert np.abs(head.probabilities(others[0]) - exact.probabilities(others[0])).max() < 2e-3
