"""Distances of datasets: against closed forms and SciPy's matrix root, nothing between samples of one kind, in any order."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from tl_core.analysis.dataset_distances import frechet, interval, mmd

Matrix = NDArray[np.float64]
RNG = np.random.default_rng(0)


def drawn(n: int, mean: float = 0.0, deviation: float = 1.0, d: int = 6) -> Matrix:
    """Features of that mean and deviation in each direction."""
    return RNG.normal(mean, deviation, (n, d))


@pytest.mark.parametrize(("n", "m", "d"), [(40, 30, 6), (8, 9, 12)])
def test_the_frechet_distance_is_that_of_scipys_root(n: int, m: int, d: int) -> None:
    one, other = drawn(n, d=d) @ RNG.normal(size=(d, d)), drawn(m, 1.0, d=d)
    covariances = [np.cov(side, rowvar=False) for side in (one, other)]
    gap = one.mean(axis=0) - other.mean(axis=0)
    root = np.real(sqrtm(covariances[0] @ covariances[1])).trace()
    expected = gap @ gap + covariances[0].trace() + covariances[1].trace() - 2 * root
    assert frechet(one, other) == pytest.approx(expected, rel=1e-4)  # a root of what has no full rank is no more exact


def test_the_frechet_distance_of_a_shifted_and_stretched_copy_is_known() -> None:
    one = drawn(50)
    shift, stretch = np.arange(6.0), 3.0
    other = stretch * (one - one.mean(axis=0)) + one.mean(axis=0) + shift
    expected = shift @ shift + (stretch - 1) ** 2 * np.trace(np.cov(one, rowvar=False))
    assert frechet(one, other) == pytest.approx(expected)
    assert frechet(one, one) == pytest.approx(0.0, abs=1e-9)


def test_the_discrepancy_is_the_sum_over_all_pairs() -> None:
    one, other = drawn(7), drawn(5, 0.5)

    def kernel(x: Matrix, y: Matrix) -> float:
        return float((x @ y / 6 + 1) ** 3)

    def own(side: Matrix) -> float:
        return float(np.mean([kernel(x, y) for i, x in enumerate(side) for j, y in enumerate(side) if i != j]))

    across = float(np.mean([kernel(x, y) for x in one for y in other]))
    assert mmd(one, other).value == pytest.approx(own(one) + own(other) - 2 * across)


def test_the_discrepancy_of_known_distributions_is_met_without_bias() -> None:
    """Of features in one direction the kernel is 1 + 3xy + 3(xy)^2 + (xy)^3, whose mean follows from the moments: of N(0, 1)
    against N(1, 1) the squared distance is 3 * 1^2 + 3 * (2 - 1)^2 + 4^2."""
    found = [mmd(drawn(60, d=1), drawn(60, 1.0, d=1)).value for _ in range(60)]
    error = float(np.std(found)) / len(found) ** 0.5
    assert np.mean(found) == pytest.approx(22, abs=4 * error)
    assert error < 2


def test_samples_of_one_kind_differ_by_no_more_than_the_interval() -> None:
    found = [interval(mmd(drawn(60), drawn(40))) for _ in range(40)]
    assert sum(each.low <= 0 <= each.high for each in found) >= 36
    assert interval(mmd(drawn(60), drawn(40, 1.0))).low > 0


def test_a_dataset_is_as_far_from_itself_as_chance_alone_puts_it() -> None:
    """Each example meets itself once more across than within, which counts less the more examples there are."""
    one = drawn(60)
    values = (one @ one.T / 6 + 1) ** 3
    apart = (values.sum() - np.trace(values)) / (60 * 59)
    assert mmd(one, one).value == pytest.approx(-2 / 60 * (np.trace(values) / 60 - apart))


def test_no_order_changes_anything() -> None:
    one, other = drawn(30), drawn(20, 0.5)
    mixed = one[RNG.permutation(len(one))]
    assert frechet(mixed, other) == pytest.approx(frechet(one, other))
    assert mmd(mixed, other).value == pytest.approx(mmd(one, other).value)
    assert mmd(other, one).value == pytest.approx(mmd(one, other).value)
