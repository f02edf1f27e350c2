"""What lies outside of the training examples, against scikit-learn's neighbours and at the rate that is named."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tl_core.analysis.neighbours import ROWS, nearest, nearest_others
from tl_core.analysis.out_of_distribution import FALSE_ALARMS, FEWEST, Trained

RNG = np.random.default_rng(0)
POINTS, OTHERS = RNG.normal(size=(ROWS + 30, 5)), RNG.normal(size=(ROWS + 7, 5))


def test_the_nearest_are_those_of_scikit_learn() -> None:
    known = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(POINTS)
    found, (distances, places) = nearest(OTHERS, POINTS, 4), known.kneighbors(OTHERS)
    np.testing.assert_array_equal(found.places, places)
    np.testing.assert_allclose(found.distances, distances, atol=1e-7)
    others, (distances, places) = nearest_others(POINTS, 4), known.kneighbors()
    np.testing.assert_array_equal(others.places, places)
    np.testing.assert_allclose(others.distances, distances, atol=1e-7)


def like(n: int) -> np.ndarray:
    """Examples of one kind, whose length says nothing."""
    return (RNG.normal(size=(n, 8)) + 4 * np.eye(8)[0]) * RNG.uniform(1, 9, (n, 1))


def test_its_like_is_outside_at_the_rate_that_is_named_and_others_are() -> None:
    trained = Trained(like(300), classes=3)
    found = trained.threshold(like(400), like(4000))
    assert found
    assert (found.k, found.fitted_on, found.fitted, found.tested) == (10, "validation", 400, 4000)
    assert found.measured == pytest.approx(FALSE_ALARMS, abs=0.03)
    assert found.interval.low < found.measured < found.interval.high
    elsewhere = RNG.normal(size=(100, 8)) - 4 * np.eye(8)[0]
    assert (trained.nearest(elsewhere).distances[:, -1] > found.distance).all()


def test_without_validation_examples_the_training_examples_are_held_against_each_other() -> None:
    features = like(FEWEST)
    found = Trained(features, classes=9).threshold(like(0), like(5))
    assert found
    assert (found.k, found.fitted_on, found.fitted) == (1, "train", FEWEST)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert found.distance == pytest.approx(NearestNeighbors(n_neighbors=1).fit(unit).kneighbors()[0].max())
    assert Trained(features[1:], classes=2).threshold(like(FEWEST - 1), like(5)) is None
