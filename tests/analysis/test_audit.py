"""How right a ranking was, from numbers whose answer is known."""

from math import isnan

import pytest

from tl_core.analysis import audit
from tl_core.analysis.audit import Audit, Held
from tl_core.analysis.ranking import Candidate, Scored
from tl_core.analysis.statistics import wilson

BY_SCORE = audit.by_score("s")
TESTED = 1000


def audited(*networks: tuple[str, float, float], published: float | None = None) -> Audit:
    """Networks with a title, a score, and the accuracy that they have reached on `TESTED` images."""
    held = (
        Held(
            Candidate(title, title, published=published, scores={"s": Scored(score)}),
            reached,
            wilson(round(reached * TESTED), TESTED),
            ("r",),
        )
        for title, score, reached in networks
    )
    return Audit("linear_probe", "Linear probe", tuple(held))


THREE = ("a", 0.7, 0.6), ("b", 0.8, 0.9), ("c", 0.9, 0.7)


@pytest.mark.parametrize(
    ("networks", "tau", "regret"),
    [
        ((("a", 0.7, 0.6), ("b", 0.8, 0.7), ("c", 0.9, 0.8)), 1, 0),
        ((("a", 0.9, 0.6), ("b", 0.8, 0.7), ("c", 0.7, 0.8)), -1, 0.2),
        # Of the pairs of ranks (1, 2), (1, 3) and (2, 3), which weigh 1 + 1/2, 1 + 1/3 and 1/2 + 1/3, one is the wrong way round:
        # that of the first and second, by either order.
        (THREE, (4 / 3 + 5 / 6 - 3 / 2) / (4 / 3 + 5 / 6 + 3 / 2), 0.2),
    ],
)
def test_order_and_regret(networks: tuple[tuple[str, float, float], ...], tau: float, regret: float) -> None:
    judged = audited(*networks).judged(BY_SCORE)
    assert judged
    assert (judged.tau, judged.regret) == (pytest.approx(tau), pytest.approx(regret))


def test_networks_that_are_equally_good_have_no_order() -> None:
    judged = audited(("a", 0.7, 0.6), ("b", 0.8, 0.6)).judged(BY_SCORE)
    assert judged
    assert isnan(judged.tau)
    assert judged.regret == 0


def test_what_tells_no_two_networks_apart_is_not_judged() -> None:
    assert audited(THREE[0]).judged(BY_SCORE) is None
    assert audited(*THREE).judged(audit.published) is None
    assert audited(*THREE, published=0.7).judged(audit.published) is None


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ((("a", 0.7, 0.6), ("b", 0.8, 0.7)), "Linear probe, 2 networks: b, foretold to be the best, was it."),
        (THREE, "Linear probe, 3 networks: c, foretold to be the best, is 20 points (17\N{EN DASH}23) below b."),
        (
            (("a", 0.7, 0.61), ("b", 0.8, 0.6)),
            "Linear probe, 2 networks: b, foretold to be the best, is 1 point below a, which may be chance (5 below to 3 above).",
        ),
    ],
)
def test_what_is_said(networks: tuple[tuple[str, float, float], ...], said: str) -> None:
    found = audited(*networks)
    judged = found.judged(BY_SCORE)
    assert judged
    assert audit.verdict(found, judged) == said
