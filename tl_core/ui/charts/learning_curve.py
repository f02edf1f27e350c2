"""Test accuracy by the number of labels, as the answers to what-ifs say it."""

from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go

from tl_core.analysis.learning_curve import Point
from tl_core.ui.charts import theme

TITLE = "Test accuracy by labels a class"
NEAREST = 0.12
"""The part of the axis that two numbers lie apart at least, so that both can be read on a telephone."""


def learning_curve(points: Sequence[Point], revision: str) -> go.Figure:
    """Draw test accuracy (%) over the number of labels a class (log): a line for each strength, of the mean over the draws. The
    line whose strength was chosen on the validation images, or the only one, is thick and has 95 % intervals. `revision` names
    the question, so that a zoom outlives new answers."""
    if not points:
        return theme.empty(TITLE, "Waiting for the first answer", height=360)
    drawn = theme.figure(TITLE, 360, legend=True)
    ordered = sorted(points, key=lambda point: (point.strength is None, point.strength or 0.0))
    lines = [(strength, list(line)) for strength, line in groupby(ordered, key=lambda point: point.strength)]
    for index, (strength, line) in enumerate(lines):
        main = strength is None or len(lines) == 1
        colour, dash = theme.RUNS[index % len(theme.RUNS)], theme.DASHES[(index + 1) % len(theme.DASHES)]
        style = {"color": theme.CHOSEN, "width": 3} if main else {"color": colour, "width": 1.5, "dash": dash}
        _line(drawn, line, "C chosen" if strength is None else f"C = {strength:g}", style, main=main)
    ticks = _ticks(points)
    theme.axes(drawn, "Labelled images a class", "Test accuracy (%)")
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


def _line(drawn: go.Figure, line: Sequence[Point], name: str, style: dict[str, object], *, main: bool) -> None:
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [100 * (point.interval.high - point.accuracy) for point in line],
        "arrayminus": [100 * (point.accuracy - point.interval.low) for point in line],
        "thickness": 1.5,
        "visible": main,
    }
    hovers = [
        f"{100 * point.accuracy:.1f} % ({100 * point.interval.low:.1f} to {100 * point.interval.high:.1f})<br>"
        f"{point.train_images:,} images, {len(point.draws)} draw{'s' if len(point.draws) != 1 else ''}"
        for point in line
    ]
    drawn.add_scatter(
        x=[place(point, line) for point in line],
        y=[100 * point.accuracy for point in line],
        mode="lines+markers",
        name=name,
        line=style,
        error_y=bars,
        text=hovers,
        hovertemplate="%{text}<extra>" + name + "</extra>",
    )
