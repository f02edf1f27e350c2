"""Group lasso and Head2Toe, held to the conditions of the optimum and to what each step does by itself."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from tl_core.errors import DataError, SettingError
from tl_core.heads import group_lasso as lasso_module
from tl_core.heads import head2toe, normalised, select_features
from tl_core.heads.group_lasso import TOLERANCE, fista, group_lasso
from tl_core.heads.head import ChosenBy
from tl_core.heads.selection import KEEPS
from tl_core.notes import Note, NoteKind

Array = NDArray[np.float64]
Labels = NDArray[np.intp]


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """What is compared with is on one thread, too."""
    with threadpool_limits(1, user_api="blas"):
        yield


def few_useful(images: int, width: int, useful: int = 5, seed: int = 0) -> tuple[Array, Labels]:
    """Images of three classes that differ in the first `useful` of their features alone."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(images) % 3)
    means = np.random.default_rng(99).normal(size=(3, useful)) * 2
    features = generator.normal(size=(images, width))
    features[:, :useful] += means[labels]
    return 5.0 + features * np.linspace(0.5, 2, width), labels


def standardised(features: Array) -> Array:
    return np.asarray((features - features.mean(axis=0)) / features.std(axis=0))


def loss(logits: Array, labels: Labels) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize(("images", "width"), [(60, 20), (30, 300)], ids=["more images", "more features"])
@pytest.mark.parametrize("weights", [np.ones(3), np.array([1.0, 4.0, 0.5])], ids=["even", "weighted"])
def test_the_conditions_of_the_optimum(share: float, images: int, width: int, weights: Array) -> None:
    """Rows of 0 have a slope within the penalty; the gradient of the others points along the row and has its length."""
    features, labels = few_useful(images, width)
    points = standardised(features)
    found = group_lasso(points, labels, weights, share)
    parts = weights[labels] / weights[labels].sum()
    errors = parts[:, None] * (softmax(points @ found.kernel + found.bias, axis=1) - np.eye(3)[labels])
    gradient, lengths = points.T @ errors, np.linalg.norm(found.kernel, axis=1)
    used, near = lengths > 0, 3 * TOLERANCE * found.penalty
    assert found.converged
    assert used.any()
    assert (~used).any()
    assert np.linalg.norm(gradient[~used], axis=1).max() <= found.penalty + near
    along = gradient[used] + found.penalty * found.kernel[used] / lengths[used, None]
    assert np.linalg.norm(along, axis=1).max() <= near
    assert np.linalg.norm(errors.sum(axis=0)) <= near
    np.testing.assert_allclose(found.slopes, np.linalg.norm(gradient, axis=1), atol=1e-12)
    np.testing.assert_array_equal(found.scores, lengths)


def test_the_least_penalty_that_keeps_all_rows_at_0() -> None:
    features, labels = few_useful(60, 20)
    points = standardised(features)
    assert group_lasso(points, labels, np.ones(3), 1.0).scores.max() == 0
    assert (group_lasso(points, labels, np.ones(3), 0.95).scores > 0).sum() >= 1
    frequencies = np.eye(3)[labels].mean(axis=0)
    np.testing.assert_allclose(softmax(group_lasso(points, labels, np.ones(3), 1.0).bias), frequencies)


def test_it_is_what_scipy_finds() -> None:
    """L-BFGS on the same objective, its corner at 0 rounded off a little."""
    features, labels = few_useful(60, 8)
    points = standardised(features)
    found = group_lasso(points, labels, np.ones(3), 0.3)

    def objective(flat: Array, rounding: float = 1e-12) -> float:
        kernel, bias = flat.reshape(-1, 3)[:-1], flat.reshape(-1, 3)[-1]
        return loss(points @ kernel + bias, labels) + found.penalty * np.sqrt((kernel**2).sum(axis=1) + rounding).sum()

    best = minimize(objective, np.zeros(27), args=(1e-8,), options={"maxiter": 500}).x
    mine = np.vstack([found.kernel, found.bias]).ravel()
    assert objective(mine) <= objective(best) + 1e-4
    np.testing.assert_allclose(found.kernel, best.reshape(-1, 3)[:-1], atol=0.02)


def test_the_working_set_finds_what_all_features_at_once_do() -> None:
    features, labels = few_useful(40, 400)
    points = standardised(features)
    found = group_lasso(points, labels, np.ones(3))
    joined = np.hstack([points, np.ones((40, 1))])
    whole, done = fista(joined, np.eye(3)[labels], np.full(40, 1 / 40), found.penalty, np.zeros((401, 3)))
    assert done

    def objective(kernel: Array) -> float:
        return loss(joined @ kernel, labels) + found.penalty * np.linalg.norm(kernel[:-1], axis=1).sum()

    assert objective(np.vstack([found.kernel, found.bias])) == pytest.approx(objective(whole), rel=1e-3)
    np.testing.assert_allclose(found.kernel, whole[:-1], atol=0.02)


def test_features_are_ranked_by_their_rows_and_then_by_their_slopes() -> None:
    features, labels = few_useful(200, 40)
    found = group_lasso(standardised(features), labels, np.ones(3))
    order = found.ranking()
    assert set(order[:4]) <= set(range(5))
    used = int((found.scores > 0).sum())
    assert (np.diff(found.scores[order[:used]]) <= 0).all()
    assert (found.scores[order[used:]] == 0).all()
    assert (np.diff(found.slopes[order[used:]]) <= 0).all()


@pytest.mark.parametrize(("keep", "count"), [(0.001, 1), (0.05, 5), (0.1, 10), (1.0, 100)])
def test_the_share_that_is_kept(keep: float, count: int) -> None:
    features, labels = few_useful(90, 100)
    chosen = select_features(features, labels, 3, keep=keep, normalise=False)
    assert (len(chosen.kept), chosen.keep, chosen.chosen_by) == (count, keep, ChosenBy.GIVEN)
    assert (np.diff(chosen.kept) > 0).all()
    assert chosen.scores.shape == (100,)
    assert chosen.scores[chosen.kept].min() >= np.delete(chosen.scores, chosen.kept).max(initial=0.0)
    if keep == 0.05:
        assert len(set(chosen.kept) & set(range(5))) >= 4


def test_the_order_of_the_features_does_not_matter() -> None:
    features, labels = few_useful(90, 60)
    order = np.random.default_rng(3).permutation(60)
    chosen = select_features(features, labels, 3, keep=0.1, normalise=False)
    other = select_features(features[:, order], labels, 3, keep=0.1, normalise=False)
    assert set(order[other.kept]) == set(chosen.kept)
    np.testing.assert_allclose(other.scores, chosen.scores[order], atol=1e-8)


@pytest.mark.parametrize(("images", "width"), [(60, 40), (30, 300)], ids=["more images", "more features"])
def test_head2toe_is_logistic_regression_on_what_is_selected(images: int, width: int) -> None:
    """The library, on the standardised features that are kept, gives the same probabilities."""
    features, labels = few_useful(images, width)
    others, answers = few_useful(50, width, seed=1)
    answers[::4] = (answers[::4] + 1) % 3  # so that a strong penalty is chosen, whose solution is sharply defined
    head = head2toe(features, labels, 3, keep=0.2, validation=(others, answers), normalise=False)
    kept = select_features(features, labels, 3, keep=0.2, normalise=False).kept
    np.testing.assert_array_equal(np.flatnonzero(np.abs(head.kernel).max(axis=1)), kept)
    assert head.kernel.shape == (width, 3)
    mean, deviation = features[:, kept].mean(axis=0), features[:, kept].std(axis=0)
    model = LogisticRegression(C=head.chosen["C"], tol=1e-9, max_iter=10_000)
    model.fit((features[:, kept] - mean) / deviation, labels)
    expected = model.predict_proba((others[:, kept] - mean) / deviation)
    np.testing.assert_allclose(head.probabilities(others), expected, atol=1e-4)
    assert (head.chosen["keep"], head.chosen["kept"], head.chosen_by) == (0.2, len(kept), ChosenBy.VALIDATION)


def test_each_block_is_divided_by_its_norm() -> None:
    """By the head, or by a model in front of it: the result is the same."""
    features, labels = few_useful(60, 30)
    groups = (10, 5, 15)
    parts = np.split(features, np.cumsum(groups)[:-1], axis=1)
    before = np.hstack([part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts])
    head = head2toe(features, labels, 3, keep=0.2, groups=groups)
    other = head2toe(before, labels, 3, keep=0.2, normalise=False)
    assert head.groups == groups
    assert head.centre is None
    np.testing.assert_allclose(normalised(features, None, groups), before)
    np.testing.assert_allclose(head.probabilities(features), other.probabilities(before), atol=1e-6)
    with pytest.raises(ValueError, match="30 features"):
        head2toe(features, labels, 3, groups=(10, 5))


def test_the_share_is_chosen_on_the_validation_images() -> None:
    features, labels = few_useful(60, 200)
    validation = few_useful(90, 200, seed=1)
    heads = [head2toe(features, labels, 3, keep=keep, validation=validation, normalise=False) for keep in KEEPS]
    losses = [loss(head.logits(validation[0]), validation[1]) for head in heads]
    chosen = head2toe(features, labels, 3, validation=validation, normalise=False)
    best = heads[int(np.argmin(losses))]
    assert dict(chosen.chosen) == dict(best.chosen)
    np.testing.assert_array_equal(chosen.kernel, best.kernel)
    assert chosen.chosen["keep"] <= 0.1  # 5 of the 200 features are of use
    selected = select_features(features, labels, 3, validation=validation, normalise=False)
    assert (selected.keep, selected.chosen_by) == (chosen.chosen["keep"], ChosenBy.VALIDATION)
    np.testing.assert_array_equal(selected.kept, np.flatnonzero(np.abs(chosen.kernel).max(axis=1)))


def test_without_validation_images_each_fold_selects_for_itself() -> None:
    """Labels drawn at random: features selected on the very images that are held out would seem to predict them."""
    features, _ = few_useful(60, 400, useful=1)
    labels = np.random.default_rng(5).permutation(np.arange(60) % 3)
    head = head2toe(features, labels, 3, keep=0.05, normalise=False)
    assert head.chosen_by == ChosenBy.CROSS_VALIDATION
    certain = head.probabilities(features).max(axis=1).mean()
    assert certain < 0.6  # the strongest penalty won: nothing that was selected held elsewhere


def test_selection_beats_all_features_where_few_are_of_use() -> None:
    features, labels = few_useful(45, 600)
    others, answers = few_useful(300, 600, seed=2)
    head, everything = head2toe(features, labels, 3), head2toe(features, labels, 3, keep=1.0)
    assert head.chosen["keep"] < 0.1
    assert loss(head.logits(others), answers) < loss(everything.logits(others), answers) - 0.2


def test_one_image_a_class_keeps_everything() -> None:
    head = head2toe(*few_useful(3, 20), 3)
    assert (head.chosen["keep"], head.chosen["kept"], head.chosen_by) == (1.0, 20, ChosenBy.DEFAULT)


def test_a_selection_among_classes_without_images() -> None:
    features, labels = few_useful(60, 20)
    same = select_features(features, labels, 3, keep=0.2).kept
    np.testing.assert_array_equal(select_features(features, 2 * labels + 1, 7, keep=0.2).kept, same)
    one = select_features(features, np.full(60, 2), 7)
    assert (one.scores == 0).all()
    assert one.keep == 1.0


def test_a_lasso_that_does_not_settle_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasso_module, "ITERATIONS", 2)
    head = head2toe(*few_useful(60, 20), 3, keep=0.2)
    assert head.remarks == (Note(NoteKind.APPROXIMATE_RANKING),)
    assert head.converged  # the head itself is at its optimum


@pytest.mark.parametrize("keep", [0, -0.1, 1.01, float("nan")])
def test_a_share_that_cannot_be(keep: float) -> None:
    for solve in (head2toe, select_features):
        with pytest.raises(SettingError, match=r"above 0 and at most 1.*Received"):
            solve(*few_useful(9, 6), 3, keep=keep)


def test_features_that_are_not_finite() -> None:
    features, labels = few_useful(9, 6)
    features[0, 0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        select_features(features, labels, 3)
