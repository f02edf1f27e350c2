"""What remains of a test among several, over seeds, and what it could have shown: held to SciPy and to exact sums."""

import numpy as np
import pytest
from scipy.stats import binom, nct, norm, t, ttest_rel

from tl_core.analysis.paired_tests import PairedTest, by_mcnemar, corrected, over_seeds
from tl_core.analysis.statistics import Interval, holm, least_mean_difference, least_paired_share

IMAGES = 800


def test_holm_by_hand() -> None:
    """R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.5]) == pytest.approx([0.8, 0.8])
    assert holm([]) == []


def test_over_seeds_is_a_paired_t_test() -> None:
    one, other = np.array([0.81, 0.84, 0.80, 0.83]), np.array([0.86, 0.85, 0.84, 0.89])
    reference = ttest_rel(one, other)
    found = over_seeds(one - other, IMAGES)
    assert found is not None
    assert found.interval is not None
    assert (found.lead, found.p_value) == pytest.approx((0.04, reference.pvalue))
    ends = reference.confidence_interval()
    assert (found.interval.low, found.interval.high) == pytest.approx((-ends.high, -ends.low))
    assert found.told_apart == (reference.pvalue < 0.05)


@pytest.mark.parametrize("differences", [[0.1], [0.1, 0.2], [0.1, 0.1, 0.1], []])
def test_too_few_seeds_or_those_that_decide_nothing_are_no_repeats(differences: list[float]) -> None:
    assert over_seeds(differences, IMAGES) is None


def test_an_interval_alone_is_significant_where_it_is_above_zero() -> None:
    lead = PairedTest(IMAGES, 0.02, interval=Interval(0.001, 0.035))
    assert lead.told_apart
    assert lead.own_p == pytest.approx(2 * norm.sf(1.959963985 * 0.02 / 0.019))
    assert not PairedTest(IMAGES, 0.02, interval=Interval(-0.001, 0.035)).told_apart
    assert not PairedTest(IMAGES, 0.02).told_apart


def test_among_several_a_small_p_value_no_longer_tells_apart() -> None:
    alone = PairedTest(IMAGES, 0.02, 0.03, differing=60)
    (single,) = corrected([alone])
    assert single == alone
    first, second, lost, third = corrected([alone, PairedTest(IMAGES, 0.1, 1e-6, differing=90), None, PairedTest(IMAGES, 0.0)])
    assert (lost, third and third.corrected) == (None, None)
    assert first and second and third
    assert (first.corrected, second.corrected, first.comparisons) == pytest.approx((0.03, 2e-6, 2))
    assert [each.told_apart for each in (first, second, third)] == [True, True, False]
    many = corrected([alone] * 3)
    assert not any(each and each.told_apart for each in many)
    assert many[0] and many[0].least and alone.least and many[0].least > alone.least


@pytest.mark.parametrize(("images", "differing"), [(800, 80), (5000, 400), (400, 3)])
def test_the_least_share_is_found_in_four_of_five_cases(images: int, differing: int) -> None:
    """The exact McNemar test is a little stricter than the normal distribution that the formula has, and never much."""
    least = least_paired_share(images, differing, 0.05)
    share = max(differing / images, least)
    counts = np.arange(images + 1)
    weights = binom.pmf(counts, images, share)
    ahead = 0.5 * (1 + least / share)
    likely = counts[weights > 1e-6]
    found = np.array([_found(n, ahead) for n in likely])
    assert 0.70 < float(weights[likely] @ found) < 0.86


def _found(differing: int, ahead: float) -> float:
    """How often the exact test finds what is `ahead` in this share of those that differ."""
    counts = np.arange(differing + 1)
    p_values = 2 * binom.cdf(np.minimum(counts, differing - counts), differing, 0.5)
    return float(binom.pmf(counts, differing, ahead)[p_values < 0.05].sum())


@pytest.mark.parametrize("pairs", [2, 5, 30])
def test_the_least_mean_difference_has_the_power_that_it_says(pairs: int) -> None:
    error, free = 0.01, pairs - 1
    least = least_mean_difference(float(t.ppf(0.975, free)) * error, pairs, 0.05)
    assert nct.sf(t.ppf(0.975, free), free, least / error) == pytest.approx(0.8, abs=1e-6)


def test_least_differences_of_many_pairs_agree() -> None:
    assert least_mean_difference(1.96, 10_000, 0.05) == pytest.approx(least_mean_difference(1.96, None, 0.05), rel=1e-3)
    assert least_mean_difference(1.959964, None, 0.05) == pytest.approx(norm.ppf(0.975) + norm.ppf(0.8))


def test_what_could_have_been_shown_grows_as_fewer_images_are_there() -> None:
    rng = np.random.default_rng(0)
    first = rng.random(IMAGES) < 0.8
    second = np.where(rng.random(IMAGES) < 0.1, ~first, first)
    least = [by_mcnemar(first[:n], second[:n]).least for n in (100, 400, 800)]
    assert all(least)
    assert least == sorted(least, key=lambda each: -(each or 0))
    assert by_mcnemar(first, first).least == pytest.approx(least_paired_share(IMAGES, 0, 0.05))
    assert PairedTest(IMAGES, 0.1).least is None
