"""Intervals and tests, held to SciPy's and to what must be true of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from tl_core.analysis.statements import count, interval_of, percent, seconds
from tl_core.analysis.statistics import Interval, mcnemar, wilson


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
