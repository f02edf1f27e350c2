"""The bound of a loss is Tango's: known ends, and what it covers."""

from math import sqrt

import numpy as np
import pytest

from tl_core.analysis.non_inferiority import Z, fewest_examples, greatest_loss


@pytest.mark.parametrize("examples", [50, 268, 2000])
def test_without_a_difference_it_is_that_of_a_share_of_none(examples: int) -> None:
    assert greatest_loss(0, 0, examples) == pytest.approx(Z**2 / (examples + Z**2))


def test_the_fewest_examples_just_suffice() -> None:
    assert fewest_examples(0.01) == 268
    assert greatest_loss(0, 0, 268) <= 0.01 < greatest_loss(0, 0, 267)


@pytest.mark.parametrize(("only_reference", "only_other"), [(2, 9), (8, 20), (12, 30)])
def test_it_is_below_0_where_a_one_sided_mcnemar_test_shows_a_gain(only_reference: int, only_other: int) -> None:
    shown = (only_other - only_reference) / sqrt(only_other + only_reference) > Z
    assert (greatest_loss(only_reference, only_other, 300) < 0) == shown
    assert greatest_loss(only_other, only_reference, 300) > 0


def test_its_ends() -> None:
    assert greatest_loss(9, 0, 9) == 1
    assert -1 < greatest_loss(0, 9, 9) < 0


@pytest.mark.parametrize(("only_reference", "only_other"), [(0.01, 0.01), (0.02, 0.01), (0.01, 0.0)])
def test_it_holds_the_true_loss_in_95_of_100_cases(only_reference: float, only_other: float) -> None:
    drawn = np.random.default_rng(0).multinomial(800, [only_reference, only_other, 1 - only_reference - only_other], 1000)
    held = [greatest_loss(int(first), int(second), 800) >= only_reference - only_other for first, second, _ in drawn]
    assert 0.93 <= np.mean(held) <= 0.975  # four standard errors of the simulation
