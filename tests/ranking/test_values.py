"""The values of scores are those of their authors' code on scikit-learn's data, and those that follow from their definitions."""

from collections.abc import Callable
from math import log

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from tl_core.errors import SettingError
from tl_core.ranking import Labels, Matrix, TransferabilityScore
from tl_core.ranking.gbc import GBC
from tl_core.ranking.h_score import HScore
from tl_core.ranking.leep import LEEP
from tl_core.ranking.linear_probe import LinearProbeScore
from tl_core.ranking.logme import LogME
from tl_core.ranking.n_leep import NLEEP
from tl_core.ranking.nearest_neighbours import NearestNeighboursScore

SCORES: tuple[TransferabilityScore, ...] = (
    LogME(),
    HScore(),
    LEEP(),
    GBC(),
    GBC(covariance="diagonal"),
    NearestNeighboursScore(k=1, normalise=False),
)
# Of the authors' own code; the source's classifier is a fixed linear one, by `drawn_source`.
GOLDEN = {
    "digits": (0.270278, 5.851433, -1.754327, -0.053774, -0.002707, 0.988314),
    "breast_cancer": (-0.852145, 0.755297, -0.242562, -0.005325, -5.3e-05, 0.950791),
    "wine": (-0.537707, 1.672600, -0.368690, -0.203280, -0.035157, 0.955056),
}
LOADERS: dict[str, Callable[[], tuple[Matrix, Labels]]] = {
    "digits": lambda: (load_digits().data / 16, load_digits().target),
    "breast_cancer": lambda: standardised(load_breast_cancer()),
    "wine": lambda: standardised(load_wine()),
}
BY_HAND = np.array([[1.0, 0], [0, 1], [1, 1], [2, 1]]), np.array([0, 1, 1, 0])


def standardised(data: object) -> tuple[Matrix, Labels]:
    return StandardScaler().fit_transform(data.data), data.target  # type: ignore[attr-defined]  # a Bunch


def drawn_source(features: Matrix) -> Matrix:
    logits = features @ np.random.RandomState(0).randn(features.shape[1], 20)
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("data", GOLDEN)
@pytest.mark.parametrize("place", range(len(SCORES)))
def test_the_authors_numbers(data: str, place: int) -> None:
    features, labels = LOADERS[data]()
    assert SCORES[place].value(features, labels, drawn_source(features)) == pytest.approx(GOLDEN[data][place], abs=1e-5)


def test_the_example_by_hand() -> None:
    source = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    assert LogME().value(*BY_HAND) == pytest.approx(-0.984803434, abs=1e-9)
    assert LEEP().value(*BY_HAND, source) == pytest.approx(-0.474030121, abs=1e-9)


def drawn(classes: int = 3, n: int = 150, features: int = 8) -> tuple[Matrix, Labels]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    return rng.normal(size=(n, features)) + 1.5 * np.eye(classes, features)[labels], labels


def test_a_source_that_knows_the_classes_has_a_leep_of_nothing() -> None:
    features, labels = drawn()
    assert LEEP().value(features, labels, np.eye(3)[labels]) == pytest.approx(0.0, abs=1e-12)


def test_a_source_that_knows_nothing_has_the_leep_of_a_guess() -> None:
    features, labels = drawn()
    assert LEEP().value(features, labels, np.full((len(labels), 7), 1 / 7)) == pytest.approx(log(1 / 3))


def test_without_a_classifier_leep_says_so() -> None:
    with pytest.raises(SettingError, match="own classifier"):
        LEEP().value(*drawn())


def test_classes_that_are_the_same_overlap_wholly() -> None:
    """In both orders, so that `classes` classes have classes * (classes - 1) pairs."""
    points = np.random.default_rng(0).normal(size=(50, 4))
    assert GBC().value(np.tile(points, (3, 1)), np.repeat(np.arange(3), 50)) == pytest.approx(-6.0)


def test_the_h_score_is_less_than_the_number_of_classes() -> None:
    features, labels = drawn()
    assert 0 < HScore().value(features, labels) < 2
    assert HScore().value(features + 1000 * np.eye(3, 8)[labels], labels) == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("score", [LinearProbeScore(), NearestNeighboursScore(), HScore(), NLEEP()], ids=lambda each: each.name)
def test_scale_does_not_matter(score: TransferabilityScore) -> None:
    features, labels = drawn()
    for factor in (1e-3, 1e3):
        assert score.value(factor * features, labels) == pytest.approx(score.value(features, labels), rel=1e-6)


def test_everything_twice_leaves_the_mean_evidence_nearly_as_it_was() -> None:
    features, labels = drawn()
    twice = LogME().value(np.tile(features, (2, 1)), np.tile(labels, 2))
    assert twice == pytest.approx(LogME().value(features, labels), abs=0.05)


def test_a_copy_is_the_nearest_neighbour() -> None:
    features, labels = drawn()
    assert NearestNeighboursScore(k=1).value(np.tile(features, (2, 1)), np.tile(labels, 2)) == 1


@pytest.mark.parametrize(("k", "right"), [(1, 0.8), (3, 0.6), (4, 0.6)])
def test_the_most_votes_win_and_of_as_many_the_nearest(k: int, right: float) -> None:
    line: NDArray[np.float64] = np.array([[0.0], [1], [2.1], [3.3], [4.6]])
    labels = np.array([0, 0, 0, 1, 1])
    assert NearestNeighboursScore(k=k, normalise=False).value(line, labels) == pytest.approx(right)


def test_each_example_is_told_by_a_probe_that_has_not_seen_it() -> None:
    """Drawn labels cannot be told, however many features there are to know them by heart by."""
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(400, 600)), rng.integers(0, 2, 400)
    assert LinearProbeScore().value(features, labels) == pytest.approx(0.5, abs=0.1)
