"""The loss at each learning rate that a range test tried."""

from typing import Any

import plotly.graph_objects as go

from tl_core.analysis.rates import RateCurve
from tl_core.ui.charts import theme

SHOWN = 1000.0
"""The axis spans so many times the first rate at least, that it does not jump while the first ones come."""
TITLE = "Loss at each learning rate"


def rate_chart(curve: RateCurve, present: float, revision: str) -> go.Figure:
    """Draw the loss (nats) of each batch, light, and smoothed, thick, over the learning rate (log). Lines mark the suggestion and
    the `present` rate. `revision` names the search, so that a zoom outlives new points."""
    if not curve.rates:
        return theme.empty(TITLE, "Waiting for the first batch", height=300)
    drawn = theme.figure(TITLE, 300, legend=True)
    drawn.add_scatter(
        x=curve.rates,
        y=curve.losses,
        mode="lines",
        name="Each batch",
        line={"color": theme.TRAINING, "width": 1},
        opacity=0.5,
        hovertemplate="Rate %{x:.2g}<br>loss %{y:.3f} nats<extra>Each batch</extra>",
    )
    drawn.add_scatter(
        x=curve.rates,
        y=list(curve.smoothed),
        mode="lines",
        name="Smoothed",
        line={"color": theme.CHOSEN, "width": 3},
        hovertemplate="Rate %{x:.2g}<br>loss %{y:.3f} nats<extra>Smoothed</extra>",
    )
    if curve.suggestion is not None:
        _mark(drawn, curve.suggestion, "suggested", {"color": theme.GREEN, "dash": "dash", "width": 2})
    if present != curve.suggestion:
        _mark(drawn, present, "now", {"color": theme.NEUTRAL, "dash": "dot", "width": 2})
    theme.axes(drawn, "Learning rate", "Loss (nats)")
    drawn.update_xaxes(type="log", exponentformat="power", dtick=1, autorangeoptions={"include": curve.rates[0] * SHOWN})
    # What lies far above is the last batch alone, whose loss has broken out.
    drawn.update_yaxes(rangemode="tozero", autorangeoptions={"clipmax": 1.3 * float(curve.smoothed.max())})
    drawn.update_layout(uirevision=revision)
    return drawn


def _mark(drawn: go.Figure, rate: float, text: str, line: dict[str, Any]) -> None:
    """Draw a line through the chart, with its name in the legend, where no other name can lie upon it."""
    drawn.add_vline(rate, line=line)
    drawn.add_scatter(x=[None], y=[None], mode="lines", line=line, name=f"{text} ({rate:g})")
