"""Runs beside each other: which is better, at what price, and in what they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tl_core.analysis.statements import percent, seconds
from tl_core.analysis.statistics import Interval, mcnemar
from tl_core.spec import DISPLAY_NAME, RunSpec

SIGNIFICANT = 0.05
"""From this p-value upward two runs count as not told apart."""


@dataclass(frozen=True)
class RunPoint:
    """A tested run as a point: `family` is its strategy's name, `accuracy` with the 95% interval `low`..`high` in 0..1,
    `seconds` the wall seconds it took."""

    run_id: str
    label: str
    family: str
    accuracy: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True)
class Contender:
    """One side of a comparison. `transfer` is False for a run from scratch; `correct` (n,) says which test images it got
    right, None where its predictions are lost; runs with equal `test_digest` saw the same test images."""

    title: str
    transfer: bool
    correct: NDArray[np.bool_] | None
    accuracy: float
    interval: Interval
    seconds: float
    test_digest: str


def frontier(points: Sequence[RunPoint]) -> list[RunPoint]:
    """Return the points that no other beats in accuracy and seconds at once (Pareto), the quickest first."""
    return sorted(
        (point for point in points if not any(_beats(other, point) for other in points)), key=lambda p: (p.seconds, p.run_id)
    )


def _beats(one: RunPoint, other: RunPoint) -> bool:
    no_worse = one.accuracy >= other.accuracy and one.seconds <= other.seconds
    return no_worse and (one.accuracy, one.seconds) != (other.accuracy, other.seconds)


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


def verdict(first: Contender, second: Contender) -> str:
    """Return one sentence that says which of two runs is better, or that it cannot be said, and what each took.

    On the same test images the exact McNemar test decides; otherwise only the intervals can be held side by side.
    """
    if first.test_digest != second.test_digest:
        return f"Tested on different images, so that only their intervals can be compared: {_side_by_side(first, second)}."
    if first.correct is None or second.correct is None:
        return (
            f"The single predictions are missing, so that only their intervals can be compared: {_side_by_side(first, second)}."
        )
    better, worse = (first, second) if first.accuracy >= second.accuracy else (second, first)
    p_value = mcnemar(first.correct, second.correct).p_value
    images = f"{len(first.correct):,} images"
    pair = first.transfer != second.transfer
    facts = f"{_accuracy(better)} against {_accuracy(worse)}, exact McNemar {p_text(p_value)}; {_times(better, worse)}"
    if p_value >= SIGNIFICANT:
        opening = "No difference shown: " if pair else ""
        return f"{opening}{better.title} and {worse.title} cannot be told apart on these {images} ({facts})."
    gap = points(better.accuracy - worse.accuracy)
    if pair and not better.transfer:
        return f"Transfer hurt: from scratch is better by {gap} on the same {images} ({facts})."
    opening = "Transfer helped: " if pair else ""
    return f"{opening}{better.title} is better than {worse.title} by {gap} on the same {images} ({facts})."


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


def _accuracy(run: Contender) -> str:
    return percent(run.accuracy, run.interval)


def _times(first: Contender, second: Contender) -> str:
    return f"{seconds(first.seconds)} against {seconds(second.seconds)}"


def _side_by_side(first: Contender, second: Contender) -> str:
    apart = first.interval.low > second.interval.high or second.interval.low > first.interval.high
    sides = "; ".join(f"{run.title} {_accuracy(run)} in {seconds(run.seconds)}" for run in (first, second))
    return f"{sides}; they {'do not overlap' if apart else 'overlap'}"
