"""Heads from very many images, and of very many classes: as right as those of few, in less work."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, RidgeCV

from tests.heads.test_heads import Array, clusters
from tl_core.heads import curvature, logistic, logistic_regression, ridge
from tl_core.heads.closed_form import PENALTIES
from tl_core.heads.curvature import Curvature, Preconditioner
from tl_core.heads.head import ChosenBy
from tl_core.heads.logistic_regression import ENOUGH_TO_FIT, LogisticSolver, some
from tl_core.heads.newton import Minimum
from tl_core.heads.ridge_path import Ridge
from tl_core.notes import Note, NoteKind


def stretched(each: int, classes: int, width: int, seed: int = 0) -> tuple[Array, np.ndarray]:
    """Classes that overlap, with features of very different size, as a network gives them."""
    features, labels = clusters(each, width, classes, apart=0.7, seed=seed)
    return features / (1.0 + np.arange(width)), labels


def curved(most: bool = False, images: int = 300) -> tuple[Curvature, np.ndarray]:
    """A curvature of 4 classes in 6 coordinates, and the same written out (28, 28)."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(images, 6)).astype(np.float32)
    likely = softmax(3 * generator.normal(size=(images, 4)), axis=1).astype(np.float32)
    shares, penalties = np.full((images, 1), 1 / images, np.float32), np.full((7, 1), 0.01, np.float32)
    wide = np.hstack([points, np.ones((images, 1))])
    between = likely[:, :, None] * (np.eye(4) - likely[:, None, :]) / images
    whole = np.einsum("ia,ib,ijk->ajbk", wide, wide, between).reshape(28, 28) + 0.01 * np.eye(28)
    return Curvature(points, likely, shares, penalties, most=most), whole


def test_curvature_is_the_second_derivative() -> None:
    curvature_, whole = curved()
    step = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    np.testing.assert_allclose(curvature_.times(step).ravel(), whole @ step.ravel(), rtol=1e-3, atol=1e-5)


def test_images_that_hardly_bend_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curvature, "MANY_IMAGES", 64)
    some_of_them, whole = curved(most=True)
    assert len(some_of_them._points) < 250
    step = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    off = np.linalg.norm(some_of_them.times(step).ravel() - whole @ step.ravel()) / np.linalg.norm(whole @ step.ravel())
    assert off < 0.05


def test_the_preconditioner_makes_all_directions_alike() -> None:
    """Few steps of conjugate gradients are needed where the largest and the smallest curvature are of one size."""
    curvature_, whole = curved()
    undone = curvature_.preconditioner().with_penalties(curvature_.penalties)
    product = np.stack([undone(row.reshape(7, 4).astype(np.float32)).ravel() for row in whole.T], axis=1)
    values = np.sort(np.abs(np.linalg.eigvals(product)))[7:]  # what all classes share changes nothing
    assert values.max() / values.min() < 8
    assert np.abs(undone(np.ones((7, 4), np.float32)).mean(axis=1)).max() < 1e-4


@pytest.mark.parametrize("products", [0.0, 1e9], ids=["preconditioned", "plain"])
def test_the_same_head_with_and_without_the_preconditioner(products: float, monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = stretched(60, 5, 30)
    exact = LogisticRegression(C=30.0, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(features, labels)
    monkeypatch.setattr(Curvature, "products", products)
    head = logistic(features, labels, 5, strength=30.0, normalise=False)
    assert head.converged
    np.testing.assert_allclose(head.probabilities(features), exact.predict_proba(features), atol=1e-5)


def test_a_preconditioner_serves_other_penalties(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fits of a solver share it: making it takes as long as many products."""
    features, labels = stretched(60, 5, 30)
    made, make = list[int](), Curvature.preconditioner

    def counted(curvature_: Curvature) -> Preconditioner:
        made.append(1)
        return make(curvature_)

    monkeypatch.setattr(Curvature, "preconditioner", counted)
    monkeypatch.setattr(Curvature, "products", 3)
    solver = LogisticSolver(features, labels, np.ones(5))
    first = solver.fit(1e3)
    assert made
    monkeypatch.setattr(Curvature, "products", 1e9)
    made.clear()
    assert solver.fit(1.0).preconditioner is first.preconditioner
    assert not made
    exact = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(features, labels)
    found = solver.fit(1.0)
    np.testing.assert_allclose(softmax(features @ found.kernel + found.bias, axis=1), exact.predict_proba(features), atol=1e-5)


def test_a_preconditioner_that_is_dearer_than_a_product_is_never_made() -> None:
    """Of as many coordinates or classes as images there is nothing to gain; of many more images there is."""
    assert curved(images=10)[0].products == np.inf  # 6 coordinates and 4 classes
    assert curved(images=300)[0].products < 10


@pytest.mark.parametrize("numbers", [1, 100, 1 << 19])
def test_products_of_some_images_at_a_time(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curvature, "AT_ONCE", numbers)
    test_curvature_is_the_second_derivative()


def test_the_penalty_is_chosen_on_some_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = stretched(100, 4, 12)
    others = stretched(100, 4, 12, seed=1)
    whole = logistic(features, labels, 4, validation=others)
    assert whole.remarks == ()
    fitted, fit = list[int](), LogisticSolver.fit
    monkeypatch.setattr(logistic_regression, "ENOUGH_TO_FIT", 150)

    def counted(solver: LogisticSolver, strength: float) -> Minimum:
        fitted.append(len(solver._points))
        return fit(solver, strength)

    monkeypatch.setattr(LogisticSolver, "fit", counted)
    fewer = logistic(features, labels, 4, validation=others)
    assert fewer.remarks == (Note(NoteKind.CHOSEN_ON_FEWER, (150, 400)),)
    assert max(fitted[:-1]) <= 154
    assert fitted[-1] == 400
    given = logistic(features, labels, 4, strength=fewer.chosen["C"])
    assert (given.chosen_by, given.remarks) == (ChosenBy.GIVEN, ())
    np.testing.assert_allclose(fewer.probabilities(features), given.probabilities(features), atol=1e-5)
    assert logistic(features, labels, 4).remarks == fewer.remarks  # and so in cross-validation


def test_some_images_are_of_every_class() -> None:
    labels = np.repeat(np.arange(1001), [50_000, *[1] * 1000])
    kept = some(labels, ENOUGH_TO_FIT)
    assert set(labels[kept]) == set(labels)
    assert len(kept) <= ENOUGH_TO_FIT + 1001
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(some(labels[:3], 3), np.arange(3))


@pytest.mark.parametrize(("each", "width"), [(40, 7), (3, 60)], ids=["more images", "more features"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [16, 4096])
def test_ridge_is_that_of_the_library(each: int, width: int, weighted: bool, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.heads.ridge_path.ROWS", rows)
    features, labels = clusters(each, width, 5, apart=0.5)
    targets, weights = 2 * np.eye(5)[labels] - 1, np.where(labels == 1, 3.0, 0.5) if weighted else np.ones(len(labels))
    model = RidgeCV(PENALTIES, scoring="neg_mean_squared_error", store_cv_results=True, gcv_mode="svd")
    model.fit(features, targets, sample_weight=weights)
    found = Ridge.of(features, targets, weights)
    assert PENALTIES[int(np.argmin(found.errors(PENALTIES)))] == model.alpha_
    kernel, bias = found.coefficients(model.alpha_)
    np.testing.assert_allclose(kernel.T, model.coef_, atol=1e-8)
    np.testing.assert_allclose(bias, model.intercept_, atol=1e-8)
    place = PENALTIES.index(model.alpha_)
    np.testing.assert_allclose(found.left_out(model.alpha_), model.cv_results_[:, :, place], atol=1e-6)


def test_ridge_of_many_images_in_32_bits_is_that_in_64(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = stretched(100, 4, 12)
    exact = ridge(features, labels, 4)
    monkeypatch.setattr("tl_core.heads.space.MANY_NUMBERS", 0)
    narrow = ridge(features.astype(np.float32), labels, 4)
    assert narrow.chosen["penalty"] == exact.chosen["penalty"]
    np.testing.assert_allclose(narrow.probabilities(features), exact.probabilities(features), atol=1e-4)


def test_many_classes_of_one_image_each() -> None:
    features = np.random.default_rng(0).normal(size=(120, 80)) / (1 + np.arange(80))
    head = logistic(features, np.arange(120), 120, validation=(features, np.arange(120)))
    assert head.converged
    assert (head.logits(features).argmax(axis=1) == np.arange(120)).mean() > 0.9
