"""Runs beside each other."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import plotly.graph_objects as go

from tl_core.analysis.comparison import Cost, RunPoint, frontier
from tl_core.analysis.statements import count, seconds
from tl_core.analysis.usage import energy
from tl_core.metrics import Better, Metric
from tl_core.runs.store import StoredEvent
from tl_core.strategies import strategies
from tl_core.ui.charts import names, theme
from tl_core.ui.charts.curves import Measure
from tl_core.ui.charts.names import Place

MOST_RUNS, MOST_CURVES = 500, 24
"""So many points are drawn, and so many curves: they differ in colour, dash and marker."""
MOST_CURVE_POINTS = 3000
"""Points of all curves together."""
FEW = 8
"""Up to so many points have their names beside them."""
LEGEND_ROW = 20
"""Pixels of a row of two names."""
WIDTH, DEPTH, MOST_LETTERS = 780, 250, 32
"""Pixels of the plot on a screen of 1280; the most letters of a name."""


class CostAxis(NamedTuple):
    """What a cost is called in a title and on its axis, on which one stands for so many, and how a value of it is told."""

    name: str
    title: str
    told: Callable[[float], str]
    unit: float = 1.0


def _whole(value: float) -> str:
    return count(round(value))


def _billions(value: float) -> str:
    return f"{value:,.0f} billion" if value >= 9.95 else f"{value:.2g} billion"


AXES = {
    Cost.SECONDS: CostAxis("time", "Seconds of the run", seconds),
    Cost.CPU_SECONDS: CostAxis("CPU time", "CPU seconds of the run", seconds),
    Cost.FLOPS: CostAxis("FLOPs", "Billion FLOPs of the run", _billions, 1e9),
    Cost.ENERGY: CostAxis("GPU energy", "GPU energy of the run (J)", energy),
    Cost.PARAMETERS: CostAxis("parameters", "Parameters that trained", _whole),
    Cost.LABELS: CostAxis("labels", "Labelled examples a class", _whole),
}


def metric_against_cost(points: Sequence[RunPoint], metric: Metric, cost: Cost) -> go.Figure:
    """Draw a metric of the test images (shares in %, with 95% intervals) against what runs cost, on a log axis where that spans
    more than ten times.

    From scratch is grey, other strategies have their own colour and marker. The line joins the runs that no other beats in both;
    of very many runs these and the first ones are drawn. `customdata` is the run id.
    """
    name, axis = AXES[cost].name, AXES[cost].title
    title = f"{metric.full_title} against {name}"
    if not points:
        return theme.empty(title, "Runs that have finished will be here.")
    if len(points) > MOST_RUNS:
        title = f"{title}, {MOST_RUNS} of {len(points):,} runs"
    points = [_scaled(point, metric, cost) for point in _drawn(points, metric.better)]
    labels = names.without_common([point.label for point in points])
    points = [replace(point, label=label) for point, label in zip(points, labels, strict=True)]
    families = sorted({point.family for point in points})
    drawn = theme.figure(title, 380 + LEGEND_ROW * -(-len(families) // 2), legend=True)
    _add_frontier(drawn, frontier(points, metric.better), f"Best for its {name}")
    times = [point.cost for point in points]
    wide = min(times) > 0 and max(times) > 10 * min(times)
    sides = _sides(points, wide=wide) if len(points) <= FEW else {}
    for family in families:
        _add_family(
            drawn, family, [p for p in points if p.family == family], sides, partial(_point_hover, metric=metric, cost=cost)
        )
    if wide:
        theme.log_axis(drawn, times)
    else:
        drawn.update_xaxes(range=[0, 1.1 * max(times) or 1], showgrid=True)
    return theme.axes(drawn, axis, f"Test {metric.in_sentence}{' (%)' if metric.percent else ''}")


def _scaled(point: RunPoint, metric: Metric, cost: Cost) -> RunPoint:
    """Return a point of a share in percent, with its cost in the unit of the axis."""
    scale = 100 if metric.percent else 1
    value, low, high = (scale * each for each in (point.value, point.low, point.high))
    return replace(point, value=value, low=low, high=high, cost=point.cost / AXES[cost].unit)


def _drawn(points: Sequence[RunPoint], better: Better) -> Sequence[RunPoint]:
    """Return at most `MOST_RUNS` of the runs: those that no other beats, and the first ones."""
    if len(points) <= MOST_RUNS:
        return points
    best = {point.run_id: point for point in frontier(points, better)}
    return list((best | {point.run_id: point for point in points}).values())[:MOST_RUNS]


def _add_frontier(drawn: go.Figure, best: Sequence[RunPoint], name: str) -> None:
    drawn.add_scatter(
        x=[point.cost for point in best],
        y=[point.value for point in best],
        mode="lines",
        line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5, "shape": "hv"},
        name=name,
        hoverinfo="skip",
        showlegend=len(best) > 1,
    )


def _sides(points: Sequence[RunPoint], *, wide: bool) -> dict[str, str]:
    """Return on which side of its marker each run's name stands, by run id, so that no two names overlap on a screen of 1280
    pixels. A run whose name has no room is left out. `wide`: the seconds are on a log axis."""
    times = [math.log(point.cost) if wide else point.cost for point in points]
    span = (max(times) - min(times) + 2 * math.log(1.5)) if wide else 1.1 * max(times) or 1.0
    left = min(times) - math.log(1.5) if wide else 0.0
    low, high = min(p.low for p in points), max(p.high for p in points)
    places = [
        Place(WIDTH * (t - left) / span, DEPTH * (high - p.value) / (high - low or 1), min(len(p.label), MOST_LETTERS))
        for t, p in zip(times, points, strict=True)
    ]
    free = zip(points, names.sides(places, WIDTH), strict=True)
    return {point.run_id: side for point, side in free if side}


def _add_family(
    drawn: go.Figure, family: str, points: Sequence[RunPoint], sides: Mapping[str, str], hover: Callable[[RunPoint], str]
) -> None:
    """Draw the runs of one strategy.

    Args:
        drawn: The figure.
        family: The strategy's name.
        points: Its runs.
        sides: Where the names of runs stand, by their ids; others have none.
        hover: What is told of a run under the mouse."""
    title, colour, symbol = family_style(family)
    drawn.add_scatter(
        x=[point.cost for point in points],
        y=[point.value for point in points],
        error_y={
            "type": "data",
            "array": [point.high - point.value for point in points],
            "arrayminus": [point.value - point.low for point in points],
            "thickness": 1.2,
            "width": 3,
        },
        mode="markers+text" if sides else "markers",
        cliponaxis=False,
        text=[_name(point) if point.run_id in sides else "" for point in points],
        textposition=[sides.get(point.run_id, "top left") for point in points],
        customdata=[point.run_id for point in points],
        hovertext=[hover(point) for point in points],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colour, "symbol": symbol, "size": 11},
        name=theme.plain(title),
    )


def _name(point: RunPoint) -> str:
    return f"\N{NO-BREAK SPACE}{theme.plain(point.label, MOST_LETTERS)}\N{NO-BREAK SPACE}"


def _point_hover(point: RunPoint, metric: Metric, cost: Cost) -> str:
    digits, unit = (1, " %") if metric.percent else (3, "")
    ends = f" (95 % interval {point.low:.{digits}f}\N{EN DASH}{point.high:.{digits}f})" if point.low < point.high else ""
    value = f"{metric.full_title} {point.value:.{digits}f}{unit}{ends}"
    axis = AXES[cost]
    told = f"{axis.name[0].upper()}{axis.name[1:]}: {axis.told(point.cost)}"
    return f"<b>{theme.plain(point.label, 60)}</b><br>{value}<br>{told}"


def family_style(family: str) -> tuple[str, str, str]:
    """Return (title, colour, marker) of a strategy, by its place among all that there are: it keeps them on every page."""
    known = strategies.parts()
    if family not in known:
        return family, theme.NEUTRAL, "hexagon"
    part = known[family]
    if not part.pretrained:
        return part.title, theme.SCRATCH, "x"
    place = [name for name in known if known[name].pretrained].index(family)
    return part.title, theme.RUNS[place % len(theme.RUNS)], theme.SYMBOLS[place % len(theme.SYMBOLS)]


def overlaid_curves(
    curves: Mapping[str, Sequence[StoredEvent]],
    labels: Mapping[str, str],
    measure: Measure,
    chosen: str | None,
) -> go.Figure:
    """Draw what the validation images say of several runs; of very many runs the first ones and `chosen`.

    Args:
        curves: Run id -> the run's `epoch` events in order.
        labels: Run id -> its name in the legend.
        measure: What is drawn; it means the same in all of these runs.
        chosen: Id of the run with a thick, deep blue line. The others differ by colour, dash and marker."""
    title, field = f"{measure.title} of the runs", f"validation_{measure.field}"
    shown = {run: events for run, events in curves.items() if any(e.data.get(field) is not None for e in events)}
    if not shown:
        return theme.empty(title, "None of these runs has validation examples.")
    if len(shown) > MOST_CURVES:
        title = f"{measure.title} of {MOST_CURVES} of {len(shown):,} runs"
        shown = _first_ones(shown, chosen)
    most = min(theme.MOST_POINTS, MOST_CURVE_POINTS // len(shown))
    drawn = theme.figure(title, 330 + LEGEND_ROW * -(-len(shown) // 2), legend=True)
    # Below the curves there is room for as many names as there are.
    drawn.update_layout(margin_t=44, legend={"yref": "container", "y": 0, "yanchor": "bottom"})
    about = "<b>%{customdata[1]}</b><br>%{customdata[2]}, epoch %{customdata[3]}<br>"
    for place, (run, events) in enumerate(shown.items()):
        label = theme.plain(labels.get(run, run), 60)
        points = theme.thin(list(enumerate(events, start=1)), most)
        drawn.add_scatter(
            x=[number for number, _ in points],
            y=[theme.number(event.data.get(field), measure.scale) for _, event in points],
            customdata=[(run, label, theme.plain(event.data["phase"]), event.data["epoch"]) for _, event in points],
            hovertemplate=f"{about}%{{y:{measure.written}}} {measure.unit}<extra></extra>",
            name=label,
            **_curve_style(None if run == chosen else place),
        )
    return theme.axes(drawn, "Epoch of the run", f"Validation: {measure.with_unit}")


def _first_ones(curves: Mapping[str, Sequence[StoredEvent]], chosen: str | None) -> dict[str, Sequence[StoredEvent]]:
    """Return `MOST_CURVES` of the curves: that of `chosen`, and the first ones."""
    kept = sorted(curves, key=lambda run: run != chosen)[:MOST_CURVES]
    return {run: events for run, events in curves.items() if run in kept}


def _curve_style(place: int | None) -> dict[str, Any]:
    """Return the style of the run at `place`, or that of the chosen run for None."""
    if place is None:
        return {"mode": "lines", "line": {"color": theme.CHOSEN, "width": 4}}
    colour, dash = theme.RUNS[place % len(theme.RUNS)], theme.DASHES[place % len(theme.DASHES)]
    marker = {"symbol": theme.SYMBOLS[place % len(theme.SYMBOLS)], "size": 7, "maxdisplayed": 12}
    return {"mode": "lines+markers", "line": {"color": colour, "width": 2, "dash": dash}, "marker": marker}
