"""CKA of features whose likeness is known, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from tl_core.analysis.ranking import SAMPLES, Candidate, Scored
from tl_core.analysis.similarity import between, cka, products, told

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 8))
TURNED = np.linalg.qr(RNG.normal(size=(8, 8)))[0]


def likeness(one: np.ndarray, other: np.ndarray) -> float | None:
    return cka(products(one), products(other))


@pytest.mark.parametrize(
    "copy",
    [FEATURES, 3.7 * FEATURES @ TURNED, FEATURES + 5.0, np.hstack([FEATURES, FEATURES, np.zeros((60, 2))])],
    ids=["itself", "turned and scaled", "moved", "twice"],
)
def test_a_copy_is_the_same(copy: np.ndarray) -> None:
    assert likeness(FEATURES, copy) == pytest.approx(1.0)


def test_the_order_of_examples_and_networks_does_not_matter() -> None:
    other, shuffled = FEATURES[:, :3] ** 2, RNG.permutation(60)
    assert likeness(other, FEATURES) == pytest.approx(likeness(FEATURES, other))
    assert likeness(FEATURES[shuffled], other[shuffled]) == pytest.approx(likeness(FEATURES, other))


def test_noise_is_like_nothing_however_many_features_there_are() -> None:
    found = [likeness(RNG.normal(size=(100, 400)), RNG.normal(size=(100, 400))) for _ in range(10)]
    # The biased estimate is 0.8 here: two products of 100 examples by themselves, each of about 400.
    assert abs(np.mean([value for value in found if value is not None])) < 4 * 0.014 / 10**0.5


def test_half_of_the_directions_shared() -> None:
    """The closed form of the population: of k shared directions among d independent ones of one variance it is k / d."""
    shared, *others = (RNG.normal(size=(2000, 4)) for _ in range(3))
    found = likeness(*(np.hstack([shared, other])[:1000] for other in others))
    assert found == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("features", [np.ones((60, 3)), np.full((60, 3), 0.1)])
def test_one_that_tells_no_examples_apart_is_not_compared(features: np.ndarray) -> None:
    assert likeness(FEATURES, features) is None


@pytest.mark.parametrize("n", [1, 2, 3])
def test_three_examples_are_too_few(n: int) -> None:
    assert likeness(FEATURES[:n], FEATURES[:n]) is None


def network(title: str, value: float) -> Candidate:
    return Candidate(title, title, scores={"s": Scored(value, (value,) * SAMPLES)})


A, B, C = network("a", 0.9), network("b", 0.9), network("c", 0.5)


@pytest.mark.parametrize(
    ("networks", "rows", "said"),
    [
        ((A, B), ((), (0.93,)), "a and b see these examples most alike (CKA 0.93); their ranks cannot be told apart."),
        (
            (A, B, C),
            ((), (0.6,), (0.9, None)),
            "a and c see these examples most alike (CKA 0.90); their ranks are told apart all the same. "
            "Least alike are a and b (0.60).",
        ),
        (
            (A, B, replace(C, control=True)),
            ((), (0.6,), (0.9, -0.001)),
            "a and b see these examples most alike (CKA 0.60); their ranks cannot be told apart.",
        ),
        ((A,), ((),), ""),
        ((), (), ""),
    ],
)
def test_what_is_said(networks: tuple[Candidate, ...], rows: tuple[tuple[float | None, ...], ...], said: str) -> None:
    assert told(networks, rows, "s") == said


def test_pairs_are_found_by_place() -> None:
    rows = (), (0.6,), (0.9, None)
    assert [between(rows, *pair) for pair in ((0, 0), (0, 1), (1, 0), (2, 1), (0, 2))] == [1.0, 0.6, 0.6, None, 0.9]
