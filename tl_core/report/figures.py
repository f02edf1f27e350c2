"""The figures of compared runs, on the page Compare and in its report alike."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from tl_core.analysis.comparison import Cost, RunPoint
from tl_core.metrics import Metric, MetricValue
from tl_core.registry import lowered, setting_titles
from tl_core.report import tables
from tl_core.report.sentences import Names
from tl_core.runs import compared
from tl_core.runs.findings import Findings, Reads
from tl_core.runs.label_counts import labels_of
from tl_core.runs.score import task_of
from tl_core.runs.seeds import Values
from tl_core.runs.store import Run
from tl_core.spec import to_text
from tl_core.ui.charts import comparing, label_counts, machine, parallel
from tl_core.ui.charts.curves import ACCURACY, Measure, measures_of

COST_TITLES = {
    Cost.SECONDS: "Seconds",
    Cost.CPU_SECONDS: "CPU seconds",
    Cost.FLOPS: "FLOPs",
    Cost.ENERGY: "GPU energy",
    Cost.PARAMETERS: "Trained parameters",
    Cost.LABELS: "Labels a class",
}
MOST_READ = 200
"""What a run used of the machine, or computed, is read run by run: at most of so many."""
READ_EACH = (Cost.CPU_SECONDS, Cost.FLOPS, Cost.ENERGY)


@dataclass(frozen=True)
class Drawing:
    """A figure, what it shows in words (`alt`), and what else is to be said of it, a sentence each."""

    figure: go.Figure
    alt: str
    notes: tuple[str, ...] = ()


def by_labels(found: Findings, names: Names) -> Drawing:
    """Draw the metric over the labels a class, where runs differ in them."""
    called = names([curve.runs[0] for curve in found.curves])
    titles = [called[curve.runs[0].id] for curve in found.curves]
    alt = f"Test {found.metric.in_sentence} by the labels a class"
    return Drawing(label_counts.metric_by_labels(found.curves, titles, found.metric), alt)


def against_cost(runs: Sequence[Run], values: Values, metric: Metric, cost: Cost, *, names: Names, reads: Reads) -> Drawing:
    """Draw a metric against a cost, with the runs that no other beats in both.

    Args:
        runs: Tested runs, at least one. Those that were tested on other images than the first are left out.
        values: What they have of the metric.
        metric: What is drawn.
        cost: Against what.
        names: What they are called.
        reads: How more is known of them."""
    same = [run for run in runs if run.test_digest == runs[0].test_digest]
    costs = {run.id: cost_of(run, cost, reads) for run in (same[:MOST_READ] if cost in READ_EACH else same)}
    called = names(same)
    points = [_point(run, called[run.id], values[run.id], known) for run in same if (known := costs.get(run.id)) is not None]
    notes = (
        *_left_out(len(runs) - len(same), "tested on different images"),
        *_left_out(len(same) - len(points), f"stored without this cost ({comparing.AXES[cost].name})"),
    )
    alt = f"Test {metric.in_sentence} against {comparing.AXES[cost].name} of the runs"
    return Drawing(comparing.metric_against_cost(points, metric, cost), alt, notes)


def parallel_coordinates(found: Findings, names: Names) -> Drawing:
    """Draw each run as a line through the settings that all have, and in which they differ, to what it has of the metric; the
    best is told."""
    metric, runs = found.metric, found.runs
    given = [tables.settings_of(run) for run in runs]
    differing = [str(name) for name in tables.differences(runs, names).index]
    had = [name for name in differing if all(name in each for each in given)]
    settings = {title: [each[name] for each in given] for name, title in setting_titles([runs[0].spec], had).items()}
    best = max(runs, key=lambda run: metric.better.sign * found.values[run.id].value)
    own = ", ".join(f"{lowered(title)} {to_text(values[runs.index(best)])}" for title, values in settings.items())
    told = f"Each line is a run. The best of them, {names(runs)[best.id]}, has {compared.shown(found.values[best.id], metric)}"
    notes = f"{told} with {own}." if own else f"{told}. They differ in no setting that all have."
    drawn = parallel.parallel_coordinates(settings, [found.values[run.id].value for run in runs], metric)
    return Drawing(drawn, f"{metric.full_title} by settings", (notes,))


def curves_of(runs: Sequence[Run], reads: Reads) -> dict[Measure, list[Run]]:
    """Return the curves that there can be of `runs`, each with those that have it: metrics that decide, accuracy, losses."""
    found: dict[Measure, list[Run]] = defaultdict(list)
    losses = set()
    for run in runs:
        loss, *deciding = measures_of(task_of(run), compared.deciding(run), reads.events(run, "plan"), reads.events(run, "epoch"))
        losses.add(loss)
        for measure in dict.fromkeys([*deciding, *([ACCURACY] if task_of(run).has_accuracy else []), loss]):
            found[measure].append(run)
    return {measure: found[measure] for measure in sorted(found, key=losses.__contains__)}


def curves(runs: Sequence[Run], place: int, names: Names, reads: Reads, *, chosen: str | None = None) -> Drawing:
    """Draw what validation images say of `runs` over each other.

    Args:
        runs: The runs.
        place: Of the curve that is drawn, among `curves_of`.
        names: What they are called.
        reads: How more is known of them.
        chosen: The id of the run whose curve stands out."""
    measure, own = list(curves_of(runs, reads).items())[place]
    others = len(runs) - len(own)
    notes = (f"{others} of the {len(runs)} runs {'has' if others == 1 else 'have'} no such curve.",) if others else ()
    drawn = comparing.overlaid_curves({run.id: reads.events(run, "epoch") for run in own}, names(runs), measure, chosen)
    return Drawing(drawn, "Validation curves of the chosen runs", notes)


def usage(runs: Sequence[Run], names: Names, reads: Reads) -> Drawing:
    """Draw what `runs` used of the machine."""
    called = names(runs)
    used = [(called[run.id], reads.usage(run)) for run in runs]
    return Drawing(machine.usage_bars(used), "GPU energy, CPU time and most memory of the chosen runs")


def cost_of(run: Run, cost: Cost, reads: Reads) -> float | None:
    """Return what a run cost; None where that is not known, or where it took all labels there were."""
    match cost:
        case Cost.SECONDS:
            return run.seconds
        case Cost.CPU_SECONDS:
            return reads.usage(run).cpu_seconds
        case Cost.FLOPS:
            return reads.flops(run)
        case Cost.ENERGY:
            return reads.usage(run).gpu_energy_joules
        case Cost.PARAMETERS:
            return run.trainable_parameters
        case Cost.LABELS:
            return labels_of(run) or None


def _left_out(count: int, why: str) -> Iterator[str]:
    if count:
        runs = "1 run is left out of this chart: it was" if count == 1 else f"{count} runs are left out of this chart: they were"
        yield f"{runs} {why}."


def _point(run: Run, name: str, found: MetricValue, cost: float) -> RunPoint:
    interval = compared.ends_of(found)
    low, high = (interval.low, interval.high) if interval else (found.value, found.value)
    return RunPoint(run.id, name, run.spec.strategy.name, found.value, low, high, cost)
