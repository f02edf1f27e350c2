"""The runs of a group: what each reached, by the values of its axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from tl_core.metrics import Metric
from tl_core.ui.charts import theme

HEIGHT, LEGEND_ROW = 380, 20
"""Pixels, and those of a row of two names."""
WIDE = 8
"""Numbers that span more than so many times are drawn on a log axis."""
MOST_LINES = 12


@dataclass(frozen=True)
class GroupPoint:
    """A finished run of a group: the `value` of a metric, at its value of the first axis (`x`), on the line `line`, which is None
    where all runs are on one; `transfers` is False of a line of runs from scratch."""

    run_id: str
    x: Any
    line: str | None
    transfers: bool
    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """The first axis of a group: what it is called, and its values in order, numbers or texts."""

    title: str
    order: Sequence[Any]


def group_chart(points: Sequence[GroupPoint], across: Axis, lines: Sequence[str], metric: Metric, revision: str) -> go.Figure:
    """Draw every run as a point and the means as lines, by the first axis, a line for each value of another one. From scratch is
    grey.

    Args:
        points: The runs that are done.
        across: The first axis.
        lines: The values of the axis that has a line each; none where all runs are on one.
        metric: What is drawn; shares in %.
        revision: Names the group, so that a zoom outlives new points.
    """
    title = f"{metric.full_title} by {theme.plain(across.title[:1].lower() + across.title[1:], 24)}"
    if not points:
        return theme.empty(title, "The first run that is done will be here.", HEIGHT)
    if len(lines) > MOST_LINES:
        title = f"{title}, {MOST_LINES} of {len(lines)} lines"
    shown, scale = lines[:MOST_LINES] or (None,), 100 if metric.percent else 1
    drawn = theme.figure(title, HEIGHT + LEGEND_ROW * -(-len(shown) // 2), legend=len(shown) > 1)
    for place, name in enumerate(shown):
        if of_line := [replace(point, value=scale * point.value) for point in points if point.line == name]:
            colour = theme.RUNS[place % len(theme.RUNS)] if of_line[0].transfers else theme.SCRATCH
            style = {"color": theme.CHOSEN if name is None else colour, "dash": theme.DASHES[place % len(theme.DASHES)]}
            _line(drawn, of_line, across.order, style)
    _across(drawn, across.order)
    drawn.update_layout(uirevision=revision)
    return theme.axes(drawn, theme.plain(across.title), f"Test {metric.in_sentence}{' (%)' if metric.percent else ''}")


def _across(drawn: go.Figure, order: Sequence[Any]) -> None:
    """Give the chart an axis with all values from the beginning: numbers where they are, anything else side by side."""
    if not all(isinstance(value, int | float) for value in order):
        texts = [_text(value) for value in order]
        drawn.update_xaxes(type="category", categoryorder="array", categoryarray=texts, range=[-0.5, len(texts) - 0.5])
        return
    low, high = min(order), max(order)
    ends = [low - 0.06 * (high - low), high + 0.06 * (high - low)]
    if low > 0 and high >= WIDE * low:
        room = 0.06 * log10(high / low)
        drawn.update_xaxes(type="log")
        ends = [log10(low) - room, log10(high) + room]
    drawn.update_xaxes(range=ends, tickvals=list(order), ticktext=[f"{value:,g}" for value in order], showgrid=True)


def _line(drawn: go.Figure, points: Sequence[GroupPoint], order: Sequence[Any], style: Mapping[str, str]) -> None:
    """Draw the runs of one line as points, and their means as a line with larger ones."""
    name, colour = theme.plain(points[0].line or "Mean"), style["color"]
    order = [value for value in order if any(point.x == value for point in points)]
    means = [fmean(point.value for point in points if point.x == value) for value in order]
    counts = [sum(point.x == value for point in points) for value in order]
    drawn.add_scatter(
        x=[_text(value) if isinstance(value, str) else value for value in order],
        y=means,
        mode="lines+markers",
        name=name,
        legendgroup=name,
        line={**style, "width": 2.5},
        marker={"color": colour, "size": 9},
        hovertext=[f"<b>{name}</b><br>mean of {count}" for count in counts],
        hovertemplate="%{hovertext}: %{y:.3~f}<extra></extra>",
    )
    drawn.add_scatter(
        x=[_text(point.x) if isinstance(point.x, str) else point.x for point in points],
        y=[point.value for point in points],
        mode="markers",
        name=name,
        legendgroup=name,
        showlegend=False,
        marker={"color": colour, "size": 8, "opacity": 0.55, "symbol": "circle-open", "line": {"width": 1.5}},
        customdata=[point.run_id for point in points],
        hovertext=[theme.plain(point.label, 80) for point in points],
        hovertemplate="%{hovertext}<br>%{y:.3~f}<extra></extra>",
    )


def _text(value: Any) -> str:
    return theme.plain(value, 30)
