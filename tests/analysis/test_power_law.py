"""The power law of the error: exact data, SciPy's straight line, and silence where it does not fit."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import linregress, t

from tl_core.analysis.power_law import PowerLaw, Silence, fitted

COUNTS = np.repeat([10, 20, 50, 100, 200], 3)


def noisy(errors: object, scatter: float = 0.05, seed: int = 0) -> np.ndarray:
    return np.asarray(errors) * np.exp(np.random.default_rng(seed).normal(0, scatter, len(COUNTS)))


def test_without_a_floor_it_is_a_straight_line() -> None:
    """Of logs, with the interval that textbooks give the mean of a regression."""
    errors = noisy(0.9 * COUNTS**-0.4)
    law = fitted(COUNTS, errors)
    assert isinstance(law, PowerLaw)
    x = np.log(COUNTS)
    line = linregress(x, np.log(errors))
    assert (law.exponent, np.log(law.scale), law.floor) == pytest.approx((-line.slope, line.intercept, 0.0), abs=1e-6)
    at = np.log(300)
    rest = np.log(errors) - line.intercept - line.slope * x
    spread = np.sqrt((rest**2).sum() / 13 * (1 / 15 + (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()))
    middle, half = line.intercept + line.slope * at, t.ppf(0.975, 13) * spread
    interval = law.foretold(300)
    assert not isinstance(interval, Silence)
    assert interval.low == pytest.approx(np.exp(middle - half), rel=1e-6)
    assert interval.high > np.exp(middle + half)  # the error may come to rest on a floor
    alone = replace(law, branches=law.branches[:1]).interval(300)
    assert (alone.low, alone.high) == pytest.approx((np.exp(middle - half), np.exp(middle + half)), rel=1e-6)


def test_a_floor_is_found_where_the_data_tell_it() -> None:
    law = fitted(COUNTS, noisy(3 * COUNTS**-1.0 + 0.1, 0.01, seed=1))
    assert isinstance(law, PowerLaw)
    assert (law.scale, law.exponent, law.floor) == pytest.approx((3, 1, 0.1), rel=0.1)
    interval = law.interval(400)
    assert interval.low < 3 / 400 + 0.1 < interval.high


WAVE = {10: 0.5, 20: 0.2, 50: 0.45, 100: 0.15, 200: 0.1}
STEP = {10: 0.5, 20: 0.49, 50: 0.48, 100: 0.2, 200: 0.1}


@pytest.mark.parametrize(
    ("counts", "errors", "why"),
    [
        ([10, 20, 10, 20], [0.5, 0.4, 0.5, 0.4], Silence.TOO_FEW),
        ([10, 20, 40], [0.5, 0.4, 0.3], Silence.TOO_FEW),
        ([10, 20, 40, 80], [0.5, 0.4, 0.3, 0.0], Silence.NO_ERROR),
        ([10, 20, 40, 80], [0.5, 0.4, 0.3, np.nan], Silence.NO_ERROR),
        (COUNTS, noisy(0.3 * COUNTS**0.05), Silence.FLAT),
        (COUNTS, noisy([WAVE[each] for each in COUNTS], 0.3), Silence.POOR_FIT),
        (COUNTS, noisy([STEP[each] for each in COUNTS], 0.01), Silence.POOR_FIT),
    ],
)
def test_silence(counts: object, errors: object, why: Silence) -> None:
    assert fitted(counts, errors) is why  # type: ignore[arg-type]


def test_nothing_is_foretold_far_from_what_was_tried() -> None:
    law = fitted(COUNTS, noisy(0.9 * COUNTS**-0.4))
    assert isinstance(law, PowerLaw)
    assert law.foretold(401) is Silence.TOO_FAR
    assert not isinstance(law.foretold(400), Silence)
