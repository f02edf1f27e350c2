"""Runs that differ in nothing but the seed, and what is tested of them against a baseline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tl_core.analysis import comparison
from tl_core.analysis.comparison import Contender
from tl_core.analysis.paired_tests import PairedTest, corrected, over_seeds
from tl_core.analysis.statistics import mean_interval
from tl_core.metrics import Metric, MetricValue
from tl_core.runs import compared
from tl_core.runs.store import Run
from tl_core.spec import RunSpec

Settings = str
"""What decides a run besides its seed, as text."""
Values = Mapping[str, MetricValue]
"""What runs have of the metric by which they are compared, by their ids."""
Test = Callable[[Run, Run], PairedTest | None]


@dataclass(frozen=True)
class Match:
    """Two sides of a comparison: a run each, or as many of each as there are seeds that both have, in their order, with the test
    over these."""

    baseline: tuple[Run, ...]
    others: tuple[Run, ...]
    over_seeds: PairedTest | None = None


def settings_of(spec: RunSpec, but: Sequence[str] = ()) -> Settings:
    """Return what decides a run besides its seed, where it is executed, what people call it, and the settings `but` of its
    dataset."""
    content = spec.dataset.content
    kept = content.model_copy(update=dict.fromkeys(but))
    return spec.model_copy(update={"dataset": kept, "seed": 0, "executor": RunSpec().executor}).model_dump_json()


def by_settings(runs: Sequence[Run], but: Sequence[str] = ()) -> list[dict[int, Run]]:
    """Return the runs that `settings_of` does not tell apart, by their seeds; one that was repeated begins a group anew."""
    groups: list[tuple[Settings, dict[int, Run]]] = []
    for run in runs:
        key = settings_of(run.spec, but)
        free = next((group for settings, group in groups if settings == key and run.spec.seed not in group), None)
        if free is None:
            groups.append((key, free := {}))
        free[run.spec.seed] = run
    return [group for _, group in groups]


def matches(baseline: Run, runs: Sequence[Run], values: Values) -> list[Match]:
    """Return how each of the tested `runs` is held against the `baseline`, which is one of them: over the seeds, where there are
    several that both have on the same test images, and else by itself, with the run of the same seed if there is one."""
    base, *groups = by_settings([baseline, *(run for run in runs if run.id != baseline.id)])
    if not groups:
        return [Match((baseline,), (run,)) for run in base.values() if run.id != baseline.id]
    found: list[Match] = []
    for group in groups:
        over = match_of(base, group, values)
        found += [over] if over else [Match((base.get(seed, baseline),), (run,)) for seed, run in group.items()]
    return found


def match_of(one: Mapping[int, Run], other: Mapping[int, Run], values: Values) -> Match | None:
    """Return the match over the seeds that two groups have in common; None where these are too few, or decide nothing."""
    common = [seed for seed in sorted(one) if seed in other and one[seed].test_digest == other[seed].test_digest]
    differences = [values[one[seed].id].value - values[other[seed].id].value for seed in common]
    test = over_seeds(differences, next(iter(one.values())).test_images or 0)
    return Match(tuple(one[seed] for seed in common), tuple(other[seed] for seed in common), test) if test else None


def tested(found: Sequence[Match], test: Test) -> list[PairedTest | None]:
    """Return what a paired test says of each match, corrected for how many there are; `test` compares two single runs."""
    return corrected([match.over_seeds or test(match.baseline[0], match.others[0]) for match in found])


def verdicts(
    found: Sequence[Match], tests: Sequence[PairedTest | None], names: Mapping[str, str], values: Values, metric: Metric
) -> list[str]:
    """Return what is said of each match.

    Args:
        found: The matches.
        tests: What was `tested` of each.
        names: What the first run of each side is called, by their ids.
        values: What all runs have of `metric`.
        metric: By what they are compared."""
    sides = [[contender(side, names[side[0].id], values, metric) for side in (match.baseline, match.others)] for match in found]
    return [comparison.verdict(one, other, test) for (one, other), test in zip(sides, tests, strict=True)]


def contender(runs: Sequence[Run], title: str, values: Values, metric: Metric) -> Contender:
    """Return one side of a match, called `title`: the mean over its seeds, with its interval."""
    first = runs[0]
    if len(runs) == 1:
        return compared.contender(first, title, values[first.id], metric)
    numbers = [values[run.id].value for run in runs]
    ends = mean_interval(numbers, *metric.ends)
    mean = values[first.id].model_copy(update={"value": float(np.mean(numbers)), "low": ends.low, "high": ends.high})
    took = float(np.mean([run.seconds or 0.0 for run in runs]))
    return replace(compared.contender(first, f"{title} ({len(runs)} seeds)", mean, metric), seconds=took)
