"""Transfers among some runs, each beside its twin: trained from scratch on the same data and labels, with the same seeds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

import numpy as np

from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.transfer import Effect, Learning, effect, learning
from tl_core.metrics import Metric
from tl_core.runs import compared, seeds
from tl_core.runs.compared import is_control
from tl_core.runs.seeds import Match, Values
from tl_core.runs.store import Run, StoredEvent

Epochs = Callable[[Run], Sequence[StoredEvent]]
"""From a run to its `epoch` events."""


@dataclass(frozen=True)
class Twins:
    """A transfer, the others of `match`, beside its twin, the baseline: by how much it is better (`gain`, in the unit of the
    metric), what the test says of that, and how both learned on validation examples, by the metric `learned_by`: the one that
    decides all of them, where each epoch has told it, or else their accuracy. None where that was not told."""

    match: Match
    gain: float
    test: PairedTest
    effect: Effect
    learning: Learning | None
    learned_by: Metric


def twins(runs: Sequence[Run], values: Values, test: seeds.Test, epochs: Epochs) -> list[Twins]:
    """Return each transfer among the tested `runs` beside each of its twins, with p-values corrected for how many there are."""
    found = list(_matches(runs, values))
    tests = seeds.tested(found, test)
    return [_twins(match, said, values, epochs) for match, said in zip(found, tests, strict=True) if said]


def _matches(runs: Sequence[Run], values: Values) -> Iterator[Match]:
    groups = seeds.by_settings(runs)
    kinds = [is_control(next(iter(group.values()))) for group in groups]
    controls, transfers = ([group for group, kind in zip(groups, kinds, strict=True) if kind is asked] for asked in (True, False))
    for transfer, control in product(transfers, controls):
        common = [seed for seed in sorted(transfer) if seed in control and _is_twin(transfer[seed], control[seed])]
        if common:
            over = seeds.match_of({seed: control[seed] for seed in common}, transfer, values)
            yield over or Match((control[common[0]],), (transfer[common[0]],))


def _is_twin(run: Run, other: Run) -> bool:
    """Return whether two runs of the same seed learned from the same data, and were asked the same of the same test images."""
    asked = (run.spec.dataset.content, run.spec.task, run.test_digest)
    return asked == (other.spec.dataset.content, other.spec.task, other.test_digest)


def _twins(match: Match, test: PairedTest, values: Values, epochs: Epochs) -> Twins:
    means = [float(np.mean([values[run.id].value for run in side])) for side in (match.others, match.baseline)]
    gain = values[match.others[0].id].better.sign * (means[0] - means[1])
    told = [[epochs(run) for run in side] for side in (match.others, match.baseline)]
    metric = compared.deciding(match.baseline[0])
    alike = all(compared.deciding(run) == metric for run in (*match.others, *match.baseline))
    curves = [[_curve(events, "validation_metric") for events in side] for side in told]
    if not alike or not _are_whole(curves):
        metric, curves = compared.ACCURACY, [[_curve(events, "validation_accuracy") for events in side] for side in told]
    most = 1.0 if metric.percent else inf
    known = learning(*curves, sign=metric.better.sign, most=most) if _are_whole(curves) else None
    return Twins(match, gain, test, effect(test, gain), known, metric)


def _curve(events: Sequence[StoredEvent], what: str) -> list[float]:
    known = [event.data.get(what) for event in events]
    return [float(value) for value in known if value is not None]


def _are_whole(curves: Sequence[Sequence[Sequence[float]]]) -> bool:
    return all(all(side) for side in curves)
