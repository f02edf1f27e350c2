"""Ridge regression of numbers is scikit-learn's: with a penalty that is given, and with the one that RidgeCV would choose."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from tl_core.errors import DataError, SettingError
from tl_core.heads import ChosenBy, Head, normalised, ridge_regression
from tl_core.heads.head import Matrix
from tl_core.heads.ridge_path import PENALTIES

SHAPES = [(60, 8), (12, 40)]
"""More images than features, and fewer."""


def data(images: int, width: int, outputs: int = 1) -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(images)
    features = rng.normal(3.0, 2.0, (images, width))
    return features, features[:, :outputs] * 5 + rng.normal(size=(images, outputs)) + 100


def agrees(head: Head, theirs: Ridge | RidgeCV, features: Matrix) -> None:
    """Head and estimator predict the same numbers, of images that neither has seen, too."""
    others = features[::-1] * 1.5
    for points in (features, others):
        given = points if not head.unit else normalised(points, head.centre, head.groups)
        np.testing.assert_allclose(head.logits(points), theirs.predict(given).reshape(len(points), -1), rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalise", [False, True])
def test_a_given_strength_is_the_inverse_of_scikit_learns_alpha(shape: tuple[int, int], *, normalise: bool) -> None:
    features, targets = data(*shape)
    head = ridge_regression(features, targets[:, 0], strength=0.25, normalise=normalise)
    points = normalised(features, head.centre, head.groups)
    agrees(head, Ridge(alpha=4.0).fit(points, targets), features)
    assert (dict(head.chosen), head.chosen_by) == ({"penalty": pytest.approx(4.0)}, ChosenBy.GIVEN)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_penalty_is_chosen_as_by_ridge_cv(shape: tuple[int, int]) -> None:
    features, targets = data(*shape)
    head = ridge_regression(features, targets, normalise=False)
    unit = ((features - features.mean(axis=0)) ** 2).sum(axis=1).mean()
    theirs = RidgeCV([penalty * unit for penalty in PENALTIES]).fit(features, targets)
    assert head.chosen["penalty"] == pytest.approx(theirs.alpha_)
    assert head.chosen_by is ChosenBy.LEAVE_ONE_OUT
    agrees(head, theirs, features)


def test_several_outputs_have_one_penalty() -> None:
    features, targets = data(60, 8, outputs=3)
    head = ridge_regression(features, targets, strength=1.0, normalise=False)
    assert head.kernel.shape == (8, 3)
    agrees(head, Ridge(alpha=1.0).fit(features, targets), features)


def test_what_cannot_be_fitted_is_a_sentence() -> None:
    features, targets = data(60, 8)
    with pytest.raises(SettingError, match="inverse penalty C must be a number above 0"):
        ridge_regression(features, targets, strength=0.0)
    features[3, 2] = np.nan
    with pytest.raises(DataError, match="features that are not finite"):
        ridge_regression(features, targets)
