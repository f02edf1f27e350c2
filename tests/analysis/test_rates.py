"""What a curve of losses over learning rates suggests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from tests.tools import measured_curves as measured
from tl_core.analysis.rates import FEWEST, SAFETY, RateCurve, Shape, smooth

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


def part_of(curve: RateCurve, first: int = 0, last: int | None = None) -> RateCurve:
    return RateCurve(curve.rates[first:last], curve.losses[first:last])


@pytest.mark.parametrize("lowest", [1e-4, 1e-3, 1e-2])
def test_a_tenth_of_where_the_loss_is_lowest(lowest: float) -> None:
    curve = bowl(lowest)
    assert curve.low is not None
    limit = curve.low[1]
    assert lowest <= limit < 5 * lowest  # smoothing looks back
    assert curve.shape is Shape.FALLS
    assert curve.suggestion == float(f"{limit / 10:.0e}")


@pytest.mark.parametrize(
    ("curve", "lowest", "highest"),
    [
        (measured.FINE_TUNING, 1e-4, 3e-4),
        (measured.FROM_SCRATCH, 1e-3, 1e-2),
        (measured.PROBE_FIRST, 1e-4, 4e-4),
        (measured.NOISY, 5e-5, 2e-4),
        (measured.NORMS, 5e-3, 2e-2),
        (measured.SIGN_DIGITS, 1e-5, 1e-4),
    ],
    ids=["steep", "from scratch", "probe first", "noisy", "never breaks", "hardly falls"],
)
def test_measured_curves_suggest_a_rate(curve: RateCurve, lowest: float, highest: float) -> None:
    """One at which the loss had fallen, or was no higher than before, and which is far from where it rose."""
    assert curve.shape is Shape.FALLS
    assert curve.suggestion is not None
    assert lowest <= curve.suggestion <= highest


def test_where_images_are_learned_by_heart_the_rate_at_which_they_were_counts() -> None:
    """Norms alone stood a rate of 1 in the end, once there was nothing more to learn; begun at a tenth of it, nobody knows."""
    assert measured.NORMS.low
    reached, limit = measured.NORMS.low
    assert limit == measured.NORMS.rates[-1]
    assert measured.NORMS.suggestion == float(f"{reached:.0e}")
    assert reached < limit / SAFETY


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_what_stays_until_it_rises_suggests_a_tenth_of_where_it_does(noise: float) -> None:
    """Labels of which some are wrong, say: there is a gradient, and nothing to gain."""
    losses = np.where(np.array(RATES) < 1e-3, 0.6, 3.0) + noise * np.random.default_rng(2).uniform(-1, 1, len(RATES))
    curve = RateCurve(RATES, tuple(losses.tolist()))
    assert curve.shape is Shape.BREAKS
    assert curve.low
    assert 5e-4 < curve.low[1] < 1.2e-3
    assert curve.suggestion == float(f"{curve.low[1] / SAFETY:.0e}")


def test_a_loss_that_is_nothing_from_the_start_suggests_nothing() -> None:
    """On images that its head was computed from, the network stood 0.4: it had no gradient, and trained at a tenth of that it
    forgets everything."""
    assert measured.FITTED.low
    assert measured.FITTED.low[1] > 0.3
    assert measured.FITTED.shape is Shape.NOTHING
    assert measured.FITTED.suggestion is None


def test_a_loss_that_rises_from_the_start_suggests_nothing() -> None:
    """The sign digits again, begun at the rate at which they break."""
    curve = part_of(measured.SIGN_DIGITS, first=38)
    assert len(curve.rates) >= FEWEST
    assert curve.shape is Shape.RISES
    assert curve.suggestion is None


def test_a_loss_that_no_rate_changes_suggests_nothing() -> None:
    curve = RateCurve(RATES, (2.3,) * len(RATES))
    assert curve.shape is Shape.STAYS
    assert curve.suggestion is None


@pytest.mark.parametrize("curve", [value for value in vars(measured).values() if isinstance(value, RateCurve)])
def test_a_suggestion_was_tried_and_is_far_below_what_breaks(curve: RateCurve) -> None:
    for last in range(len(curve.rates) + 1):
        part = part_of(curve, last=last)
        assert (part.suggestion is None) == (part.shape not in (Shape.FALLS, Shape.BREAKS))
        if part.suggestion is not None:
            assert part.low
            assert 0.9 * part.rates[0] <= part.suggestion <= 1.5 * part.low[1] / SAFETY


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
