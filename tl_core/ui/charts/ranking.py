"""Networks by what foretells how well they suit a dataset, by what they cost, and by how alike they are."""

from collections.abc import Mapping, Sequence
from math import isnan, log
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from tl_core.analysis.ranking import Candidate, frontier
from tl_core.analysis.statistics import Interval
from tl_core.ui.charts import names, theme

Pair = tuple[Candidate, Interval]
TITLE = "Foretold accuracy against computation"
FEW = 8
"""Up to so many networks have their names beside them."""
DEPTH = 200
"""Pixels of the plot from top to bottom."""
WIDE = 10
"""From so many times the least cost on, costs stand on a log axis."""


class Places(NamedTuple):
    """Where networks stand on the axis, and on which side of its marker each name stands, by their titles; others have none."""

    costs: Mapping[str, float]
    sides: Mapping[str, str]


def ranked_networks(candidates: Sequence[Candidate], score: str, intervals: Sequence[Interval], chosen_title: str) -> go.Figure:
    """Draw a score that is a share (%, with the 95% `intervals` of the candidates) against millions of multiply-adds an example.

    The line joins those that no other beats in both. `customdata` is the title.
    """
    pairs = [(each, span) for each, span in zip(candidates, intervals, strict=True) if score in each.scores]
    pairs.sort(key=lambda pair: pair[0].title != chosen_title)  # names have room in this order
    if not pairs:
        return theme.empty(TITLE, "Waiting for the first network", height=360)
    drawn = theme.figure(TITLE, 360, legend=True)
    best = frontier([each for each, _ in pairs], score)
    costs = _costs(pairs)
    drawn.add_scatter(
        x=[costs[each.title] for each in best],
        y=[100 * each.scores[score].value for each in best],
        mode="lines",
        line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5, "shape": "hv"},
        name="Best for its cost",
        hoverinfo="skip",
        showlegend=len(best) > 1,
    )
    sides = _sides(pairs, score, costs) if len(pairs) <= FEW else {}
    for style in (PRETRAINED, CONTROL, CHOSEN):
        group = [pair for pair in pairs if _style(pair[0], chosen_title) == style]
        if group:
            _add_group(drawn, group, score, style, Places(costs, sides))
    if max(costs.values()) > WIDE * min(costs.values()):
        theme.log_axis(drawn, list(costs.values()))
    else:
        drawn.update_xaxes(range=_around(list(costs.values())), showgrid=True)
    return theme.axes(drawn, "Million multiply-adds an example", "Probe in cross-validation (%)")


def similar_networks(titles: Sequence[str], similarities: Sequence[Sequence[float | None]]) -> go.Figure:
    """Draw how alike networks see the same examples: `similarities` (k, k) are their CKA, in the order of the `titles`, which
    number rows and columns."""
    title, k = "How alike networks see your data", len(titles)
    if not k:
        return theme.empty(title, "Networks that were ranked will be here.")
    short, places = [theme.plain(each, 28) for each in titles], [str(place) for place in range(k)]
    values = 100 * np.array(similarities, float)  # NaN for None
    drawn = theme.figure(title, 120 + k * (32 if k <= FEW else 18))
    drawn.add_heatmap(
        x=places,
        y=places,
        z=values,
        zmin=0,
        zmax=100,
        colorscale=theme.FROM_CLEAR,
        showscale=False,
        xgap=1,
        ygap=1,
        text=[
            [f"{short[row]} and {short[column]}<br>CKA {values[row, column] / 100:z.2f}" for column in range(k)]
            for row in range(k)
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    if k <= FEW:
        theme.write_in_cells(drawn, values, [["" if isnan(cell) else f"{cell / 100:z.2f}" for cell in row] for row in values])
    numbers = [str(place + 1) for place in range(k)]
    drawn.update_xaxes(type="category", showgrid=False, labelalias=dict(zip(places, numbers, strict=True)))
    drawn.update_xaxes(title={"text": "Number of the network", "standoff": 8})
    named = [f"{name} {number}" for name, number in zip(short, numbers, strict=True)]
    drawn.update_yaxes(type="category", showgrid=False, autorange="reversed", tickvals=places, ticktext=named)
    return drawn


def _costs(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return where each network stands on the log axis, by its title: at its millions of multiply-adds. What only counts words
    has none, and stands left of all others."""
    least = min((each.multiply_adds for each, _ in pairs if each.multiply_adds), default=3)
    return {each.title: (each.multiply_adds or least / 3) / 1e6 for each, _ in pairs}


def _around(costs: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis that shows costs of about the same size, and has room for a name left of the last."""
    room = (max(costs) - min(costs)) / 4 or max(costs) / 2
    return min(costs) - room, max(costs) + room


def _sides(pairs: Sequence[Pair], score: str, costs: Mapping[str, float]) -> dict[str, str]:
    """Return on which side of its marker the name of each network stands, by its title."""
    stand = [costs[each.title] for each, _ in pairs]
    if max(stand) > WIDE * min(stand):
        stand = [log(cost) for cost in stand]
        across = names.along(stand, (min(stand) - log(1.5), max(stand) + log(1.5)), names.NARROW)
    else:
        across = names.along(stand, _around(stand), names.NARROW)
    ends = max(span.high for _, span in pairs), min(span.low for _, span in pairs)
    down = names.along([each.scores[score].value for each, _ in pairs], ends, DEPTH)
    places = [names.Place(x, y, len(each.title)) for x, y, (each, _) in zip(across, down, pairs, strict=True)]
    free = zip(pairs, names.sides(places, names.NARROW), strict=True)
    return {each.title: side for (each, _), side in free if side}


class Style(NamedTuple):
    """How the networks of one kind are drawn, and what the legend calls them."""

    name: str
    colour: str = theme.NEUTRAL
    symbol: str = "circle"
    pixels: int = 11


PRETRAINED, CONTROL = Style("Pretrained"), Style("Learned nothing before", symbol="x")
CHOSEN = Style("Chosen", theme.CHOSEN, pixels=14)


def _style(each: Candidate, chosen_title: str) -> Style:
    if each.title == chosen_title:
        return CHOSEN
    return CONTROL if each.control else PRETRAINED


def _add_group(drawn: go.Figure, group: Sequence[Pair], score: str, style: Style, places: Places) -> None:
    """Draw the networks of one kind.

    Args:
        drawn: The figure.
        group: The networks, with the intervals of their scores.
        score: The score's name.
        style: How they are drawn.
        places: Where they and their names stand.
    """
    values = [100 * each.scores[score].value for each, _ in group]
    drawn.add_scatter(
        x=[places.costs[each.title] for each, _ in group],
        y=values,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * span.high - value for (_, span), value in zip(group, values, strict=True)],
            "arrayminus": [value - 100 * span.low for (_, span), value in zip(group, values, strict=True)],
            "thickness": 1.5,
        },
        mode="markers+text" if places.sides else "markers",
        text=[theme.plain(each.title) if each.title in places.sides else "" for each, _ in group],
        textposition=[places.sides.get(each.title, "top left") for each, _ in group],
        customdata=[each.title for each, _ in group],
        hovertext=[_hover(each, span, score) for each, span in group],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"symbol": style.symbol, "size": style.pixels, "color": style.colour},
        name=style.name,
        cliponaxis=False,
    )


def _hover(each: Candidate, span: Interval, score: str) -> str:
    value = each.scores[score].value
    lines = [
        f"<b>{theme.plain(each.title)}</b>, {each.size}",
        f"{100 * value:.1f} % ({100 * span.low:.1f} to {100 * span.high:.1f}) in cross-validation",
        f"{each.multiply_adds / 1e6:,.0f} million multiply-adds an example",
    ]
    if each.published is not None:
        lines.append(f"{100 * each.published:.1f} % on ImageNet, published")
    return "<br>".join(lines)
