"""What transferability scores of several networks say: ranks as far as they can be told, and which network to take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.analysis.statistics import Interval

SAMPLES = 20
"""Halves of the examples on which each score is computed once more."""
T95 = 2.093024054408263
"""Two-sided 95% quantile of Student's t with 19 degrees of freedom, as so many samples have."""


@dataclass(frozen=True)
class Scored:
    """A score of a network on all examples of the probe, and on each of the samples, the same for all networks."""

    value: float
    samples: tuple[float, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A network that was scored: what it is called, its part and settings, the size of its inputs, what it costs, and `scores` by
    their names. `multiply_adds` are those of one example; `per_second` tells how many examples went through it in a second, None
    where they had done so before. `published` is its top-1 accuracy on ImageNet (0..1), None where there is none; `control` says
    that it learned nothing that could be transferred, and `random` that its very weights were drawn: it is the floor below which
    nothing was learned, and cannot be chosen."""

    title: str
    backbone: str
    settings: dict[str, Any] = field(default_factory=dict)
    size: str = ""
    multiply_adds: int = 0
    published: float | None = None
    per_second: float | None = None
    control: bool = False
    random: bool = False
    scores: dict[str, Scored] = field(default_factory=dict)


@dataclass(frozen=True)
class Rank:
    """Where a candidate stands by a score: between `first` and `last` place, 1 being the best."""

    candidate: Candidate
    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def deviation(samples: Sequence[float]) -> float:
    """Return the standard error of a score from its values on halves of the examples, drawn without replacement.

    Half of the examples vary as much about the whole as the whole does about the truth, so that nothing has to be scaled (the
    delete-half jackknife: Shao and Wu 1989); and no example is there twice, which nearest neighbours could not bear.
    """
    return float(np.std(samples, ddof=1)) if len(samples) > 1 else 0.0


def lead(one: Scored, other: Scored) -> Interval:
    """Return the 95% interval of the score of one network less that of another on the same examples."""
    half = T95 * deviation(np.subtract(one.samples, other.samples).tolist())
    return Interval(one.value - other.value - half, one.value - other.value + half)


def ranks(candidates: Sequence[Candidate], score: str) -> list[Rank]:
    """Return the candidates that have this score, the best first, each with the places that it may have.

    It stands behind those that are better beyond doubt, and before those that are worse beyond doubt, each pair at 95 % (as in
    Mogstad et al. 2024, Inference for ranks, without their allowance for many pairs).
    """
    having = sorted((each for each in candidates if score in each.scores), key=lambda each: -each.scores[score].value)
    found = []
    for each in having:
        leads = [lead(each.scores[score], other.scores[score]) for other in having if other is not each]
        found.append(Rank(each, 1 + sum(gap.high < 0 for gap in leads), len(having) - sum(gap.low > 0 for gap in leads)))
    return found


def front_runners(candidates: Sequence[Candidate], score: str) -> list[Candidate]:
    """Return the best candidate by this score and those that cannot be told from it, the best first. What learned nothing is none
    of them as long as there is anything else."""
    pretrained = [each for each in candidates if not each.control]
    return [rank.candidate for rank in ranks(pretrained or candidates, score) if rank.first == 1]


def choice(candidates: Sequence[Candidate], score: str) -> tuple[Candidate, Candidate] | None:
    """Return the best candidate by this score, and of those that cannot be told from it the one that costs least, which may be
    itself; None where nothing was scored."""
    level = front_runners(candidates, score)
    return (level[0], min(level, key=lambda each: each.multiply_adds)) if level else None


def verdict(candidates: Sequence[Candidate], score: str, examples: int) -> str:
    """Return which network to take by a `score` of so many `examples`, in sentences; an empty text where nothing was scored."""
    chosen = choice(candidates, score)
    if chosen is None:
        return ""
    said = (
        f"Take {chosen[0].title}.",
        _of_costs(candidates, score, examples, *chosen),
        _of_controls(candidates, score, chosen[0]),
    )
    return " ".join(filter(None, said))


def _of_costs(candidates: Sequence[Candidate], score: str, examples: int, best: Candidate, cheapest: Candidate) -> str:
    """Return what is said of networks that cost less than the best.

    Args:
        candidates: All networks.
        score: The name of the score.
        examples: Of so many.
        best: The best of them.
        cheapest: The cheapest that cannot be told from it.
    """
    if best is not cheapest:
        share = _ratio(cheapest, best)
        return f"{cheapest.title} takes {share} of its computation and cannot be told from it on these {examples:,} examples."
    others = [each for each in candidates if score in each.scores and not each.control]
    behind = [each for each in others if each.multiply_adds < best.multiply_adds]
    if not behind:
        return "No pretrained network that costs less is on this machine."
    other = max(behind, key=lambda each: each.scores[score].value)
    return f"{other.title} takes {_ratio(other, best)} of its computation and is behind it beyond doubt."


def _of_controls(candidates: Sequence[Candidate], score: str, best: Candidate) -> str:
    """Return a warning where a network that learned nothing is as good as the best."""
    controls = [each for each in candidates if each.control and score in each.scores and each is not best]
    level = [each for each in controls if lead(best.scores[score], each.scores[score]).low <= 0]
    if not level:
        return ""
    other = max(level, key=lambda each: each.scores[score].value)
    return f"{other.title}, which learned nothing before, cannot be told from it: transfer may not pay here."


def _ratio(one: Candidate, other: Candidate) -> str:
    return f"{100 * one.multiply_adds / max(1, other.multiply_adds):.0f} %"


def frontier(candidates: Sequence[Candidate], score: str) -> list[Candidate]:
    """Return those that no other beats in both score and cost, the cheapest first."""
    best, found = -np.inf, list[Candidate]()
    for each in sorted(candidates, key=lambda each: (each.multiply_adds, -each.scores[score].value)):
        if each.scores[score].value > best:
            best = each.scores[score].value
            found.append(each)
    return found
