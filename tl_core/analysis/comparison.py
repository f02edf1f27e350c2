"""Runs beside each other: which is better, at what price, and in what they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from tl_core.analysis.paired_tests import SIGNIFICANT, PairedTest
from tl_core.analysis.statements import seconds
from tl_core.analysis.statistics import Interval
from tl_core.result import Better
from tl_core.spec import DISPLAY_NAME, RunSpec

MINUS = "\N{MINUS SIGN}"


class Cost(StrEnum):
    """What runs are held against: their wall seconds, CPU seconds, floating-point operations, joules of their GPUs, parameters
    that trained, or labels a class."""

    SECONDS = "seconds"
    CPU_SECONDS = "cpu_seconds"
    FLOPS = "flops"
    ENERGY = "gpu_energy_joules"
    PARAMETERS = "parameters"
    LABELS = "labels"


@dataclass(frozen=True)
class RunPoint:
    """A tested run as a point: `family` is its strategy's name, `value` that of a metric with the 95% interval `low`..`high`,
    `cost` what it cost, at least 0."""

    run_id: str
    label: str
    family: str
    value: float
    low: float
    high: float
    cost: float


@dataclass(frozen=True)
class Contender:
    """One side of a comparison by a metric. `transfer` is False for a run from scratch; `value` is of the test images, with its
    95% `interval` if there is one, and `shown` both in words; runs with equal `test_digest` saw the same test images, and with
    equal `data` learned from the same data. `metric` is its title in a sentence; `is_share` says whether its differences are told
    in points, and `in_unit` whether they may be of any size."""

    title: str
    transfer: bool
    value: float
    interval: Interval | None
    shown: str
    seconds: float
    test_digest: str
    metric: str = "accuracy"
    is_share: bool = True
    in_unit: bool = False
    better: Better = Better.HIGHER
    thing: str = "images"
    data: str = ""


def frontier(points: Sequence[RunPoint], better: Better = Better.HIGHER) -> list[RunPoint]:
    """Return the points that no other beats in value and cost at once (Pareto), the cheapest first."""
    sign = better.sign
    return sorted(
        (point for point in points if not any(_beats(other, point, sign) for other in points)),
        key=lambda p: (p.cost, p.run_id),
    )


def _beats(one: RunPoint, other: RunPoint, sign: int) -> bool:
    no_worse = sign * one.value >= sign * other.value and one.cost <= other.cost
    return no_worse and (one.value, one.cost) != (other.value, other.cost)


def differences(specs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the dotted settings in which runs differ: a row a setting (the index), a column a run, every value as text.

    `specs` maps a run's name to `RunSpec.dotted()`; a setting that a run's parts do not have is an en dash.
    """
    names = list(dict.fromkeys(name for spec in specs.values() for name in spec if name.partition(".")[2] != DISPLAY_NAME))
    differing = [name for name in names if len({_shown(spec, name) for spec in specs.values()}) > 1]
    rows = {run: [_shown(spec, name) for name in differing] for run, spec in specs.items()}
    return pd.DataFrame(rows, index=pd.Index(differing, name="setting", dtype=object), dtype=object)


def _shown(spec: Mapping[str, Any], name: str) -> str:
    if name not in spec:
        return "\N{EN DASH}"
    return "none" if spec[name] is None else str(spec[name])


def same_data(one: RunSpec, other: RunSpec) -> bool:
    """Return whether two runs draw the same images: equal dataset with all its settings, whatever it is called, and equal seed.
    The size to which images are brought is the network's affair: the test images are the same ones."""
    return one.dataset.content == other.dataset.content and one.seed == other.seed


def verdict(first: Contender, second: Contender, paired: PairedTest | None) -> str:
    """Return one sentence that says which of two runs is better, or that it cannot be said, and what each took.

    On the same test images the paired test decides; `paired` is None where there is none, since the images differ, or predictions
    are lost. Then only the intervals can be held side by side.
    """
    if first.test_digest != second.test_digest:
        tested = f"different {first.thing}" if first.thing == second.thing else f"{first.thing} and on {second.thing}"
        return f"Tested on {tested}, so that only their intervals can be compared: {_side_by_side(first, second)}."
    if paired is None:
        return (
            f"The single predictions are missing, so that only their intervals can be compared: {_side_by_side(first, second)}."
        )
    sign = first.better.sign
    better, worse = (first, second) if sign * first.value >= sign * second.value else (second, first)
    images = f"{paired.images:,} {first.thing}"
    where = f"on the same {images}" if paired.seeds is None else f"over {paired.seeds} seeds on the same {images}"
    pair = first.transfer != second.transfer and first.data == second.data
    facts = f"{better.shown} against {worse.shown}, {_found(paired, better)}; {_times(better, worse)}"
    if not paired.told_apart:
        opening = f"No detectable difference: {better.title} and {worse.title} cannot be told apart {where}"
        return f"{opening}{_could_have_shown(paired, better)} ({facts})."
    gap = f"{_gap(paired, better)} {where}"
    if pair and not better.transfer:
        return f"Transfer hurt: from scratch is better by {gap} ({facts})."
    opening = "Transfer helped: " if pair else ""
    return f"{opening}{better.title} is better than {worse.title} by {gap} ({facts})."


def _gap(paired: PairedTest, run: Contender) -> str:
    size = _size(paired.lead, run)
    return f"{size} in {run.metric}" if paired.differing is None else size


def _size(difference: float, run: Contender) -> str:
    return gap(difference, is_share=run.is_share, in_unit=run.in_unit)


def gap(difference: float, *, is_share: bool, in_unit: bool) -> str:
    """Return how far two values of a metric are apart: in points, or in its own unit."""
    return points(difference) if is_share else f"{abs(difference):.3g}" if in_unit else f"{abs(difference):.3f}"


def _could_have_shown(paired: PairedTest, run: Contender) -> str:
    """Return the smallest difference that such data show, as it follows in a sentence; nothing where it is not known."""
    if paired.least is None:
        return ""
    if run.is_share and paired.least >= 1:
        return ", which are too few to show any"
    return f", which show differences from about {_size(paired.least, run)} on"


def _found(paired: PairedTest, run: Contender) -> str:
    among = "" if paired.corrected is None else f"{p_text(paired.corrected)} by Holm among {paired.comparisons} comparisons"
    if paired.differing is not None and paired.p_value is not None:
        return f"exact McNemar {among or p_text(paired.p_value)}"
    if paired.interval is None:
        return f"{_gap(paired, run)} apart, which has no interval"
    scale, unit, form = (100, " points", ".1f") if run.is_share else (1, "", ".3g" if run.in_unit else ".3f")
    ends = f"{scale * paired.interval.low:{form}} to {scale * paired.interval.high:{form}}{unit}"
    test = "a paired bootstrap" if paired.p_value is None else "a paired t test"
    told = f"95 % interval of the difference by {test} {ends.replace('-', MINUS)}"
    own = "" if paired.p_value is None else p_text(paired.p_value)
    return ", ".join(filter(None, (told, among or own)))


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points: "26 points", "2.5 points"."""
    value = 100 * abs(difference)
    return f"{value:.0f} points" if value >= 9.95 else f"{value:.1f} points"


def p_text(p_value: float) -> str:
    """Return "p < 0.001", "p = 0.012" or "p = 0.34": as many digits as a decision needs, and never rounded across it."""
    if p_value < 0.001:
        return "p < 0.001"
    if round(p_value, 3) == SIGNIFICANT and p_value < SIGNIFICANT:
        return f"p < {SIGNIFICANT}"
    return f"p = {p_value:.3f}" if p_value < 0.1 else f"p = {p_value:.2f}"


def _times(first: Contender, second: Contender) -> str:
    return f"{seconds(first.seconds)} against {seconds(second.seconds)}"


def _side_by_side(first: Contender, second: Contender) -> str:
    sides = "; ".join(f"{run.title} {run.shown} in {seconds(run.seconds)}" for run in (first, second))
    if first.interval is None or second.interval is None:
        return f"{sides}; not both have one"
    apart = first.interval.low > second.interval.high or second.interval.low > first.interval.high
    return f"{sides}; they {'do not overlap' if apart else 'overlap'}"
