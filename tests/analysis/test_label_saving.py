"""How many times fewer labels do, and what is said where it cannot be known."""

import pytest

from tl_core.analysis.label_saving import Saving, saving

TWIN = {10: 0.4, 100: 0.8}


@pytest.mark.parametrize(
    ("transfer", "factor", "at_least", "missed"),
    [
        ({10: 0.6, 100: 1.0}, 10**0.5, False, 0),  # half of the way on the log axis
        ({10: 0.8, 100: 0.9}, 10, False, 0),
        ({10: 0.9, 100: 0.95}, 10, True, 0),
        ({10: 0.4, 100: 0.7}, None, False, 1),
        ({10: 0.4, 200: 0.8}, 0.5, False, 0),
    ],
)
def test_of_one_seed(transfer: dict[int, float], factor: float | None, at_least: bool, missed: int) -> None:
    found = saving({0: transfer}, {0: TWIN})
    assert found and (found.labels, found.at_least, found.missed, found.seeds) == (100, at_least, missed, 1)
    assert found.factor == (factor and pytest.approx(factor))


def test_over_seeds_what_is_never_reached_counts() -> None:
    curves = {0: {10: 0.9}, 1: {10: 0.1}, 2: {10: 0.5, 100: 0.8}, 9: {10: 1.0}}
    found = saving(curves, {0: TWIN, 1: TWIN, 2: TWIN})
    assert found and (found.factor, found.missed, found.seeds) == (pytest.approx(1), 1, 3)
    assert saving({0: {10: 0.1}, 1: {10: 0.1}, 2: {10: 0.9}}, dict.fromkeys(range(3), TWIN)) == Saving(100, None, False, 2, 3)
    assert saving({5: TWIN}, {6: TWIN}) is None
    assert saving({0: {10: 0.5}}, {0: {10: 0.4}}) is None  # with fewer labels it might be as good, and nobody has tried
    assert saving({}, {}) is None
