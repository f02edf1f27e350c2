"""How right a ranking was: what it foretold of networks, held against what they have reached since they were trained."""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

from tl_core.analysis.ranking import Candidate
from tl_core.analysis.statements import apart
from tl_core.analysis.statistics import Interval, difference_interval

Foretell = Callable[[Candidate], float | None]
"""From a network to what is foretold of it, more being better; None where nothing is."""


def published(candidate: Candidate) -> float | None:
    """Return what foretells without a look at the data: the accuracy on ImageNet that was published."""
    return candidate.published


def by_score(name: str) -> Foretell:
    """Return what foretells by the score of that name."""
    return lambda each: each.scores[name].value if name in each.scores else None


@dataclass(frozen=True)
class Held:
    """A network that was ranked and then trained, in the runs `run_ids`: their mean test accuracy (0..1), all on the same test
    examples, with the 95% interval of one such test."""

    candidate: Candidate
    accuracy: float
    interval: Interval
    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """How right it was to foretell: `tau` is the weighted tau (Vigna 2015) of what was foretold of so many `networks` and what
    they have reached, NaN where all have reached the same. `first` was foretold to be the best, and `best` was it."""

    networks: int
    tau: float
    first: Held
    best: Held

    @property
    def regret(self) -> float:
        """Return how much accuracy (0..1) one misses who takes the network that was foretold to be the best."""
        return self.best.accuracy - self.first.accuracy


@dataclass(frozen=True)
class Audit:
    """Networks of a ranking that were trained on its data in the same way: by the strategy of this `name`, with the same
    settings, which the `title` tells."""

    name: str
    title: str
    networks: tuple[Held, ...]

    def judged(self, foretell: Foretell) -> Judgement | None:
        """Return how right `foretell` was; None where it tells no two of the networks apart."""
        told = [(value, each) for each in self.networks if (value := foretell(each.candidate)) is not None]
        if len({value for value, _ in told}) < 2:
            return None
        tau = _weighted_tau([value for value, _ in told], [each.accuracy for _, each in told])
        first = max(told, key=lambda pair: pair[0])[1]
        return Judgement(len(told), tau, first, max(self.networks, key=lambda each: each.accuracy))


def verdict(audit: Audit, judged: Judgement) -> str:
    """Return in a sentence what one has gained or missed who took the network that was foretold to be the best."""
    first, best = judged.first, judged.best
    opening = f"{audit.title}, {judged.networks} networks: {first.candidate.title}, foretold to be the best,"
    if judged.regret == 0:
        return f"{opening} was it."
    gap = difference_interval(first.accuracy, first.interval, best.accuracy, best.interval)
    return f"{opening} is {apart(-judged.regret, gap, best.candidate.title)}."


def _weighted_tau(foretold: list[float], reached: list[float]) -> float:
    from scipy.stats import weightedtau  # takes a second to import, and only a page with such networks needs it

    if len(set(reached)) < 2:
        return nan
    return float(weightedtau(foretold, reached).statistic)
