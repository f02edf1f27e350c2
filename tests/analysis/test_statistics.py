"""Intervals and tests, held to SciPy's and to what must be true of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from tl_core.analysis.statements import apart, count, interval_of, percent, seconds
from tl_core.analysis.statistics import Interval, difference_interval, mcnemar, wilson


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case: tuple[int, int]) -> None:
    correct, total = case
    reference = binomtest(correct, total).proportion_ci(method="wilson")
    interval = wilson(correct, total)
    assert (interval.low, interval.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    rounding = 1e-15
    assert 0 <= interval.low <= correct / total + rounding <= interval.high + 2 * rounding <= 1 + 2 * rounding


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    paired = mcnemar(first, second)
    differing = paired.only_first + paired.only_second
    assert paired.only_first - paired.only_second == first.sum() - second.sum()
    # Both tails of Binomial(differing, 1/2), which is symmetric.
    tail = 2 * binom.cdf(min(paired.only_first, paired.only_second), differing, 0.5) if differing else 1.0
    assert paired.p_value == pytest.approx(min(1.0, tail))
    assert mcnemar(second, first).p_value == pytest.approx(paired.p_value)


def test_mcnemar_of_a_model_with_itself() -> None:
    same = np.array([True, False, True])
    assert mcnemar(same, same).p_value == 1.0


@pytest.mark.parametrize(
    ("share", "interval", "text"),
    [(0.85, Interval(0.823, 0.878), "85 % (82–88)"), (0.9876, Interval(0.98, 0.995), "98.8 % (98.0–99.5)")],  # noqa: RUF001
)
def test_percent_keeps_what_the_interval_supports(share: float, interval: Interval, text: str) -> None:
    assert percent(share, interval) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.42, "0.4 s"),
        (9.97, "10 s"),
        (42, "42 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (239.6, "4 min 0 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(20_496, "20,496"), (3_413_024, "3.4 M"), (23_587_712, "24 M")])
def test_count(value: int, text: str) -> None:
    assert count(value) == text


def test_an_untested_run_has_no_interval() -> None:
    class Untested:
        correct: int | None = None
        test_images: int | None = 800

    assert interval_of(Untested()) is None


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_a_difference_of_shares_has_newcombes_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """The values of his table II (1998), method 10."""
    one, other = first[0] / first[1], second[0] / second[1]
    found = difference_interval(one, wilson(*first), other, wilson(*second))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    turned = difference_interval(other, wilson(*second), one, wilson(*first))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(
    ("difference", "low", "high", "said"),
    [
        (-0.24, -0.31, -0.17, "24 points (17\N{EN DASH}31) below it"),
        (0.24, 0.17, 0.31, "24 points (17\N{EN DASH}31) above it"),
        (-0.02, -0.06, 0.03, "2 points below it, which may be chance (6 below to 3 above)"),
        (0.004, -0.001, 0.009, "0.4 points above it, which may be chance (0.1 below to 0.9 above)"),
    ],
)
def test_how_a_share_stands_to_another(difference: float, low: float, high: float, said: str) -> None:
    assert apart(difference, Interval(low, high), "it") == said
