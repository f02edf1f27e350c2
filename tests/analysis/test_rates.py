"""What a curve of losses over learning rates suggests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from tl_core.analysis.rates import FEWEST, RateCurve, smooth

RATES = tuple(np.geomspace(1e-6, 1, 101).tolist())


def bowl(lowest: float) -> RateCurve:
    """Flat, then down to its lowest point, then up steeply."""
    place = np.log10(np.array(RATES) / lowest)
    losses = np.where(place < 0, 2.5 - 2 * np.exp(2 * place), 0.5 + 4 * place**2)
    return RateCurve(RATES, tuple(losses.tolist()))


def test_a_constant_loss_stays_what_it_is() -> None:
    np.testing.assert_allclose(smooth([3.0] * 20), 3.0)
    assert smooth([]).size == 0


def test_smoothing_by_hand() -> None:
    np.testing.assert_allclose(smooth([1.0, 0.0, 2.0]), [1.0, 0.09 / 0.19, (0.081 + 0.2) / 0.271])


@pytest.mark.parametrize("lowest", [1e-4, 1e-3, 1e-2])
def test_a_tenth_of_where_the_loss_is_lowest(lowest: float) -> None:
    curve = bowl(lowest)
    assert curve.limit is not None
    assert lowest <= curve.limit < 5 * lowest  # smoothing looks back
    assert curve.suggestion == float(f"{curve.limit / 10:.0e}")


def test_a_flat_curve_says_where_training_breaks_and_suggests_nothing() -> None:
    """A head that was computed before: nothing falls, and the very lowest loss is an accident of the first batches."""
    losses = [0.02 if rate < 1e-5 else 0.03 if rate < 1e-3 else 3.0 for rate in RATES]
    curve = RateCurve(RATES, tuple(losses))
    assert curve.limit
    assert 8e-4 < curve.limit < 1.2e-3
    assert not curve.has_fallen
    assert curve.suggestion is None


def test_it_breaks_out_after_the_lowest_point_and_not_before() -> None:
    whole = bowl(1e-3)
    ends = [end for end in range(1, 102) if RateCurve(RATES[:end], whole.losses[:end]).has_broken_out]
    assert ends == list(range(ends[0], 102))
    assert RATES[ends[0] - 1] > 1e-3


def test_a_loss_near_zero_may_flicker() -> None:
    """A head that has been computed begins with a loss of almost nothing; twice that is no outbreak."""
    losses = tuple(1e-4 if number % 2 else 5e-4 for number in range(101))
    assert not RateCurve(RATES, losses).has_broken_out


@given(drawn.lists(drawn.floats(0, 10), max_size=FEWEST - 1))
def test_few_points_suggest_nothing(losses: list[float]) -> None:
    curve = RateCurve(RATES[: len(losses)], tuple(losses))
    assert curve.suggestion is None
    assert not curve.has_broken_out
