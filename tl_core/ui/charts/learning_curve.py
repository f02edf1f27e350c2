"""A metric of the test examples by the number of labels, as the answers to what-ifs say it."""

from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go

from tl_core.analysis.learning_curve import Point
from tl_core.analysis.statistics import Interval
from tl_core.metrics import Metric
from tl_core.runs.compared import ends_of, shown
from tl_core.ui.charts import theme

NEAREST = 0.12
"""The part of the axis that two numbers lie apart at least, so that both can be read on a telephone."""


def learning_curve(points: Sequence[Point], revision: str, metric: Metric, labelled: str) -> go.Figure:
    """Draw a metric of the test examples over the number of labels (log): a line for each strength, of the mean over the draws.
    The line whose strength was chosen as a run chooses it, or the only one, is thick and has 95 % intervals.

    Args:
        points: The answers by labels and strength.
        revision: Names the question, so that a zoom outlives new answers.
        metric: Shares are drawn in %.
        labelled: What the numbers of labels count: "labelled images a class".
    """
    title = f"Test {metric.in_sentence} by {labelled}"
    if not points:
        return theme.empty(title, "Waiting for the first answer", height=360)
    drawn = theme.figure(title, 360, legend=True)
    ordered = sorted(points, key=lambda point: (point.strength is None, point.strength or 0.0))
    lines = [(strength, list(line)) for strength, line in groupby(ordered, key=lambda point: point.strength)]
    for index, (strength, line) in enumerate(lines):
        main = strength is None or len(lines) == 1
        colour, dash = theme.RUNS[index % len(theme.RUNS)], theme.DASHES[(index + 1) % len(theme.DASHES)]
        style = {"color": theme.CHOSEN, "width": 3} if main else {"color": colour, "width": 1.5, "dash": dash}
        _line(drawn, line, "C chosen" if strength is None else f"C = {strength:g}", style, metric, main=main)
    ticks = _ticks(points)
    theme.axes(drawn, labelled.capitalize(), f"Test {metric.in_sentence}{' (%)' if metric.percent else ''}")
    drawn.update_xaxes(type="log", tickvals=list(ticks), ticktext=list(ticks.values()))
    drawn.update_layout(uirevision=revision)
    return drawn


def _ticks(points: Sequence[Point]) -> dict[float, str]:
    """Return the numbers of labels by where they stand, without those that come too near to a larger one."""
    places = {place(point, points): "all" if point.labels is None else f"{point.labels:,}" for point in points}
    nearest = (max(places) / min(places)) ** NEAREST
    kept: dict[float, str] = {}
    for at in sorted(places, reverse=True):
        if not kept or at * nearest <= min(kept):
            kept[at] = places[at]
    return kept


def place(point: Point, points: Sequence[Point]) -> float:
    """Return where a point stands on the axis: its number of labels, and for all labels what that comes to, by the images of the
    other points."""
    if point.labels is not None:
        return float(point.labels)
    rates = [other.train_images / other.labels for other in points if other.labels]
    return point.train_images / max(rates) if rates else float(point.train_images)


def _line(drawn: go.Figure, line: Sequence[Point], name: str, style: dict[str, object], metric: Metric, *, main: bool) -> None:
    scale = 100.0 if metric.percent else 1.0
    ends = [ends_of(point.found) or Interval(point.found.value, point.found.value) for point in line]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [scale * (end.high - point.found.value) for point, end in zip(line, ends, strict=True)],
        "arrayminus": [scale * (point.found.value - end.low) for point, end in zip(line, ends, strict=True)],
        "thickness": 1.5,
        "visible": main,
    }
    hovers = [
        f"{shown(point.found, metric)}<br>"
        f"{point.train_images:,} to learn from, {len(point.draws)} draw{'s' if len(point.draws) != 1 else ''}"
        for point in line
    ]
    drawn.add_scatter(
        x=[place(point, line) for point in line],
        y=[scale * point.found.value for point in line],
        mode="lines+markers",
        name=name,
        line=style,
        error_y=bars,
        text=hovers,
        hovertemplate="%{text}<extra>" + name + "</extra>",
    )
