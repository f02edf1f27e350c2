"""Ranks and choices among networks: told apart where halves of the examples tell them apart, and not otherwise."""

import numpy as np
import pytest

from tl_core.analysis import ranking
from tl_core.analysis.ranking import Candidate, Scored

SCORE = "linear_probe"


def candidate(title: str, value: float, cost: int, *, noise: int = 0, control: bool = False) -> Candidate:
    """A network whose score varies by 0.01 among the samples, as others with the same `noise` do."""
    samples = value + 0.01 * np.random.default_rng(noise).normal(size=ranking.SAMPLES)
    return Candidate(title, title, multiply_adds=cost, control=control, scores={SCORE: Scored(value, tuple(samples))})


def test_networks_that_vary_together_are_told_apart_by_little() -> None:
    placed = ranking.ranks([candidate("b", 0.90, 1), candidate("a", 0.91, 1)], SCORE)
    assert [(rank.candidate.title, str(rank)) for rank in placed] == [("a", "1"), ("b", "2")]


def test_networks_that_vary_each_for_itself_are_not() -> None:
    placed = ranking.ranks([candidate("b", 0.90, 1, noise=1), candidate("a", 0.91, 1)], SCORE)
    assert [(rank.candidate.title, str(rank)) for rank in placed] == [("a", "1 to 2"), ("b", "1 to 2")]


def test_equal_scores_share_their_places() -> None:
    placed = ranking.ranks([candidate("a", 0.9, 1), candidate("b", 0.9, 1), candidate("c", 0.5, 1)], SCORE)
    assert [str(rank) for rank in placed] == ["1 to 2", "1 to 2", "3"]


def test_one_without_the_score_has_no_rank() -> None:
    assert [rank.candidate.title for rank in ranking.ranks([candidate("a", 0.9, 1), Candidate("b", "b")], SCORE)] == ["a"]


def test_the_spread_over_halves_is_the_standard_error_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    halves = [values[rng.permutation(400)[:200]].mean() for _ in range(2000)]
    assert ranking.deviation(halves) == pytest.approx(values.std(ddof=1) / 20, rel=0.05)


CASES = {
    "the cheaper one is as good": (
        [candidate("large", 0.91, 100), candidate("small", 0.90, 20, noise=1)],
        "Take large. small takes 20 % of its computation and cannot be told from it on these 500 examples.",
    ),
    "the cheaper one is worse": (
        [candidate("large", 0.91, 100), candidate("small", 0.80, 20)],
        "Take large. small takes 20 % of its computation and is behind it beyond doubt.",
    ),
    "the best is the cheapest": (
        [candidate("large", 0.80, 100), candidate("small", 0.91, 20)],
        "Take small. No pretrained network that costs less is on this machine.",
    ),
    "a control is never taken while something else is there": (
        [candidate("words", 0.91, 0, control=True), candidate("network", 0.80, 20)],
        "Take network. No pretrained network that costs less is on this machine. words, which learned nothing before, cannot be "
        "told from it: transfer may not pay here.",
    ),
    "a control alone": (
        [candidate("words", 0.91, 0, control=True)],
        "Take words. No pretrained network that costs less is on this machine.",
    ),
    "nothing": ([], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(case: str) -> None:
    candidates, said = CASES[case]
    assert ranking.verdict(candidates, SCORE, 500) == said


def test_the_frontier_leaves_out_what_another_beats_in_both() -> None:
    all_three = [candidate("a", 0.8, 10), candidate("b", 0.7, 20), candidate("c", 0.9, 30)]
    assert [each.title for each in ranking.frontier(all_three, SCORE)] == ["a", "c"]
