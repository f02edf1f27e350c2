"""What is found of several tested runs that are held against each other: all that Compare says, as facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tl_core.analysis.label_saving import Saving
from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.usage import Usage
from tl_core.metrics import Metric
from tl_core.runs import seeds
from tl_core.runs.label_counts import LabelCurve, label_curves, savings
from tl_core.runs.schema import StoredEvent
from tl_core.runs.seeds import Match, Test, Values
from tl_core.runs.store import Run
from tl_core.runs.twins import Twins, twins


@dataclass(frozen=True)
class Reads:
    """How more is known of runs: what a paired `test` says of two, the `events` of one kind of a run, how many `classes` it tells
    apart, its `usage` of the machine, and its `flops`, None where they are not known."""

    test: Test
    events: Callable[[Run, str], Sequence[StoredEvent]]
    classes: Callable[[Run], int]
    usage: Callable[[Run], Usage]
    flops: Callable[[Run], float | None]


@dataclass(frozen=True)
class Findings:
    """Tested `runs` with their `values` of `metric`: each match with the baseline and its test, `left` of which are one too many,
    transfers beside their twins, the metric by the labels a class, and what a transfer saves of them."""

    metric: Metric
    runs: tuple[Run, ...]
    values: Values
    matches: tuple[Match, ...]
    tests: tuple[PairedTest | None, ...]
    left: int
    twins: tuple[Twins, ...]
    curves: tuple[LabelCurve, ...]
    savings: tuple[tuple[LabelCurve, LabelCurve, Saving], ...]


def find(
    runs: Sequence[Run], values: Values, metric: Metric, reads: Reads, *, baseline: Run | None = None, most: int | None = None
) -> Findings:
    """Return what is found of `runs`.

    Args:
        runs: Those that have a value; at least one.
        values: What they have of the metric.
        metric: By what they are compared.
        reads: How more is known of them.
        baseline: The one that the others are held against; the first one where none is given.
        most: So many matches with it are tested; all for None.
    """
    matches = seeds.matches(baseline or runs[0], runs, values)
    shown = matches[:most]
    curves = label_curves(runs, values, metric, reads.classes)
    return Findings(
        metric,
        tuple(runs),
        values,
        matches=tuple(shown),
        tests=tuple(seeds.tested(shown, reads.test)),
        left=len(matches) - len(shown),
        twins=tuple(twins(runs, values, reads.test, lambda run: reads.events(run, "epoch"))),
        curves=tuple(curves),
        savings=tuple(savings(curves, values)),
    )
