"""What a run predicts of a number: against the true ones, and by how much it is off."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tl_core.ui.charts import theme

Numbers = NDArray[np.float64]

MOST_POINTS = 2000
"""Of more test images so many are drawn, evenly; the numbers beside the chart are of all."""
HEIGHT = 420


def predicted_against_true(true: Numbers, predicted: Numbers, name: str) -> go.Figure:
    """Draw the predicted numbers (n,) over the true ones, both called `name`, on axes of one scale, and the line on which they
    are equal. `customdata` is the place of the test image."""
    shown = _finite(true, predicted)
    title = _title("Predicted against true", shown, true)
    if not len(shown):
        return theme.empty(title, "No test example has a predicted number.")
    drawn = theme.figure(title, HEIGHT)
    both = np.concatenate([true[shown], predicted[shown]])
    low, high = float(both.min()), float(both.max())
    room = 0.04 * (high - low) or 1.0
    ends = [low - room, high + room]
    drawn.add_scatter(x=ends, y=ends, mode="lines", line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5}, hoverinfo="skip")
    drawn.add_scatter(**_points(true[shown], predicted[shown], shown, "true %{x:,.4g}<br>predicted %{y:,.4g}"))
    drawn.update_xaxes(range=ends, showgrid=True)
    drawn.update_yaxes(range=ends)
    return theme.axes(drawn, f"True {theme.plain(name)}", f"Predicted {theme.plain(name)}")


def residuals(true: Numbers, predicted: Numbers, name: str) -> go.Figure:
    """Draw by how much each prediction (n,) is too high over the true number: what is left should lie around 0 everywhere."""
    shown = _finite(true, predicted)
    title = _title("Predicted less true", shown, true)
    if not len(shown):
        return theme.empty(title, "No test example has a predicted number.")
    drawn = theme.figure(title, HEIGHT)
    drawn.add_hline(0, line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5})
    off = predicted[shown] - true[shown]
    drawn.add_scatter(**_points(true[shown], off, shown, "true %{x:,.4g}<br>off by %{y:+,.4g}"))
    drawn.update_xaxes(showgrid=True)
    return theme.axes(drawn, f"True {theme.plain(name)}", f"Error in {theme.plain(name)}")


def spread(by_split: dict[str, Numbers], name: str, thing: str = "images") -> go.Figure:
    """Draw how the numbers of each split are spread, as histograms over each other."""
    title = "The numbers of each split"
    everything = np.concatenate([np.zeros(0), *by_split.values()])
    if not len(everything):
        return theme.empty(title, "There are no numbers.")
    edges = np.histogram_bin_edges(everything, bins=min(30, max(5, len(everything) // 8)))
    drawn = theme.figure(title, 280, legend=True)
    for split, numbers in by_split.items():
        counts, _ = np.histogram(numbers, edges)
        spans = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
        drawn.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            name=split,
            marker={"color": theme.SPLITS[split]},
            customdata=spans,
            hovertemplate=f"<b>{split}</b><br>%{{customdata}}: %{{y:,}} {theme.plain(thing)}<extra></extra>",
        )
    drawn.update_layout(barmode="stack", bargap=0.02)
    return theme.axes(drawn, theme.plain(name), theme.plain(thing).capitalize())


def _points(x: Numbers, y: Numbers, places: Sequence[int] | NDArray[np.intp], hover: str) -> dict[str, object]:
    return {
        "x": x,
        "y": y,
        "mode": "markers",
        "marker": {"color": theme.CHOSEN, "size": 7, "opacity": 0.6},
        "customdata": places,
        "hovertemplate": f"test example %{{customdata}}<br>{hover}<extra></extra>",
    }


def _finite(true: Numbers, predicted: Numbers) -> NDArray[np.intp]:
    """Return the places of what can be drawn, at most `MOST_POINTS` of them."""
    places = np.flatnonzero(np.isfinite(predicted) & np.isfinite(true))
    return places if len(places) <= MOST_POINTS else places[np.linspace(0, len(places) - 1, MOST_POINTS).astype(np.intp)]


def _title(what: str, shown: NDArray[np.intp], true: Numbers) -> str:
    return what if len(shown) == len(true) else f"{what}, {len(shown):,} of {len(true):,} test examples"
