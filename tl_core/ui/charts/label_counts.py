"""A metric of the test images by the number of labels, of finished runs."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from tl_core.analysis.power_law import Silence
from tl_core.metrics import Metric
from tl_core.runs.label_counts import LabelCurve, typical
from tl_core.ui.charts import theme

MOST_LINES = 12


def metric_by_labels(curves: Sequence[LabelCurve], names: Sequence[str], metric: Metric) -> go.Figure:
    """Draw a metric (shares in %) over the labels a class (log): of each curve, called by its name, the means over the seeds with
    95 % intervals, every run as a small point, and, dotted, what the next labels are foretold to bring. From scratch is grey."""
    title = f"Test {metric.in_sentence} by labels a class"
    if len(curves) > MOST_LINES:
        title = f"{title}, {MOST_LINES} of {len(curves)} curves"
    shown = curves[:MOST_LINES]
    drawn = theme.figure(title, 380 + 20 * -(-len(shown) // 2), legend=True)
    for place, (curve, name) in enumerate(zip(shown, names, strict=False)):
        style = _style(place, is_control=curve.is_control)
        _add_curve(drawn, curve, theme.plain(name, 60), style, metric)
        _add_foretold(drawn, curve, style["color"], metric)
    theme.log_axis(drawn, [x for curve in shown for x in (curve.points[0].labels, curve.more)])
    return theme.axes(drawn, "Labelled examples a class", f"Test {metric.in_sentence}{' (%)' if metric.percent else ''}")


def _style(place: int, *, is_control: bool) -> dict[str, str]:
    colour = theme.SCRATCH if is_control else theme.RUNS[place % len(theme.RUNS)]
    return {"color": colour, "dash": theme.DASHES[place % len(theme.DASHES)]}


def _add_curve(drawn: go.Figure, curve: LabelCurve, name: str, style: Mapping[str, str], metric: Metric) -> None:
    scale = _scale(metric)
    singles = [(point.labels, value) for point in curve.points for value in point.values]
    ends = [(point.interval.low, point.interval.high) if point.interval else (point.mean, point.mean) for point in curve.points]
    drawn.add_scatter(
        x=[labels for labels, _ in singles],
        y=[scale * value for _, value in singles],
        mode="markers",
        marker={"color": style["color"], "size": 5, "opacity": 0.5},
        name=name,
        showlegend=False,
        hovertext=[name] * len(singles),
        hovertemplate="<b>%{hovertext}</b><br>%{y:.4g}, a single run<extra></extra>",
    )
    drawn.add_scatter(
        x=[point.labels for point in curve.points],
        y=[scale * point.mean for point in curve.points],
        mode="lines+markers",
        name=name,
        line={**style, "width": 2.5},
        marker={"size": 8, "symbol": "x" if curve.is_control else "circle"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [scale * (high - point.mean) for point, (_, high) in zip(curve.points, ends, strict=True)],
            "arrayminus": [scale * (point.mean - low) for point, (low, _) in zip(curve.points, ends, strict=True)],
            "thickness": 1.5,
        },
        hovertext=[f"<b>{name}</b><br>mean, {scale * low:.4g} to {scale * high:.4g}" for low, high in ends],
        hovertemplate="%{hovertext}<br>%{y:.4g}<extra></extra>",
    )


def _add_foretold(drawn: go.Figure, curve: LabelCurve, colour: str, metric: Metric) -> None:
    if isinstance(curve.law, Silence) or isinstance(curve.foretold, Silence):
        return
    scale, value = _scale(metric), typical(curve.law, curve.more, metric)
    drawn.add_scatter(
        x=[curve.points[-1].labels, curve.more],
        y=[scale * curve.points[-1].mean, scale * value],
        mode="lines+markers",
        line={"color": colour, "dash": "dot", "width": 1.5},
        marker={"size": [0, 8], "symbol": "circle-open"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [0, scale * (curve.foretold.high - value)],
            "arrayminus": [0, scale * (value - curve.foretold.low)],
        },
        showlegend=False,
        hovertemplate="%{y:.4g}, foretold<extra></extra>",
    )


def _scale(metric: Metric) -> float:
    return 100.0 if metric.percent else 1.0
