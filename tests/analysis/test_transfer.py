"""Taylor and Stone's quantities of a transfer beside its twin, by hand."""

from math import inf

import pytest

from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.transfer import Effect, Reached, effect, learning

TRANSFERS = [[0.6, 0.8], [0.5, 0.9]]
TWINS = [[0.2, 0.4, 0.6, 0.8], [0.1, 0.3, 0.5, 0.7]]


def test_what_a_transfer_gains_while_it_learns() -> None:
    found = learning(TRANSFERS, TWINS)
    assert found.jump_start.mean == pytest.approx(0.4)
    assert found.jump_start.interval
    assert (found.jump_start.interval.low, found.jump_start.interval.high) == pytest.approx((0.4, 0.4))
    assert found.asymptote.mean == pytest.approx(0.1)
    # Of four epochs the transfer has 0.8 in the last three, and 0.9 with the other seed.
    assert found.area.mean == pytest.approx(((0.6 + 3 * 0.8) / 4 - 0.5 + (0.5 + 3 * 0.9) / 4 - 0.4) / 2)
    assert found.area.interval is not None
    assert found.area.interval.low < found.area.mean < found.area.interval.high
    assert found.threshold == pytest.approx(0.95 * 0.75)
    assert found.transfer == Reached(2, 0, 2)
    assert found.scratch == Reached(None, 1, 2)


def test_where_less_is_better_a_transfer_is_ahead_below() -> None:
    found = learning([[4.0, 2.0]], [[9.0, 5.0, 4.0]], sign=-1, most=inf)
    assert (found.jump_start.mean, found.area.mean, found.asymptote.mean) == pytest.approx((5.0, (5 + 3 + 2) / 3, 2.0))
    assert found.threshold == pytest.approx(4.2)
    assert (found.transfer, found.scratch) == (Reached(1, 0, 1), Reached(3, 0, 1))


def test_one_seed_has_no_interval() -> None:
    found = learning(TRANSFERS[:1], TWINS[:1])
    assert [gain.interval for gain in (found.jump_start, found.area, found.asymptote)] == [None] * 3
    assert (found.transfer, found.scratch) == (Reached(2, 0, 1), Reached(4, 0, 1))


def test_a_transfer_that_never_comes_near_is_censored() -> None:
    found = learning([[0.1, 0.2], [0.1, 0.8], [0.9]], [*TWINS, TWINS[0]])
    assert found.transfer == Reached(2, 1, 3)
    assert learning([[0.1], [0.1]], TWINS).transfer == Reached(None, 2, 2)


@pytest.mark.parametrize(
    ("p_value", "gain", "said"),
    [(0.01, 0.1, Effect.HELPS), (0.01, -0.1, Effect.HARMS), (0.2, 0.1, Effect.NO_EVIDENCE), (0.2, -0.1, Effect.NO_EVIDENCE)],
)
def test_the_test_decides_whether_it_helps(p_value: float, gain: float, said: Effect) -> None:
    assert effect(PairedTest(800, abs(gain), p_value, differing=40), gain) is said
