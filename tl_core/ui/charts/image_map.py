"""A map of images: a point for each, coloured by class, by number or by one of several labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tl_core.checks.projection import ImageMap
from tl_core.data.examples import label_text
from tl_core.ui.charts import theme

MOST_CLASSES = 16
"""Classes of a colour and mark of their own: what an eye tells apart. The others are grey."""
OTHERS = (theme.SCRATCH, "circle")
SPLIT_SYMBOLS = {"train": "", "validation": "-open", "test": "-open-dot"}
HEIGHT = 520
ENDS = (0.02, 0.98)
SCALE_BAR = {"orientation": "h", "y": 0, "yanchor": "top", "len": 0.6, "thickness": 10, "outlinewidth": 0}
"""Below the points: beside them it would take half of their room on a telephone."""


def image_map(found: ImageMap, label: int = 0) -> go.Figure:
    """Draw the points of `found`. Training images are filled, validation images hollow, test images hollow with a dot. A point's
    `customdata` begins with its place on the sheet of pictures. Where examples have several labels, those with `label` stand
    out."""
    drawn = theme.figure("The data as the network sees them", HEIGHT, legend=True)
    if found.of_numbers:
        _add_numbers(drawn, found)
    elif found.of_several:
        has = np.array(found.has(label))
        _add_points(drawn, found, np.flatnonzero(~has), f"not {found.class_names[label]}", OTHERS)
        _add_points(drawn, found, np.flatnonzero(has), found.class_names[label], _look(label))
    else:
        labels = np.array(found.labels)
        for each in range(min(len(found.class_names), MOST_CLASSES)):
            _add_points(drawn, found, np.flatnonzero(labels == each), found.class_names[each], _look(each))
        _add_points(drawn, found, np.flatnonzero(labels >= MOST_CLASSES), "other classes", OTHERS)
    drawn.update_xaxes(visible=False, title="Without unit")
    drawn.update_yaxes(visible=False, title="Without unit", scaleanchor="x")
    drawn.update_layout(uirevision=str(len(found.x)))
    return drawn


def _add_points(drawn: go.Figure, found: ImageMap, places: NDArray[np.intp], name: str, look: tuple[str, str]) -> None:
    """Draw some points under one name, in one style.

    Args:
        drawn: The figure that they are added to.
        found: The map that the points are from.
        places: Which of them, if any.
        name: What the legend says.
        look: Colour and marker.
    """
    colour, shape = look
    if members := places.tolist():
        of_each = [theme.plain(label_text(found.labels[index], found.class_names), 60) for index in members]
        symbols = [shape + SPLIT_SYMBOLS[found.splits[index]] for index in members]
        # Of symbols in a list Plotly's WebGL does not see that some are hollow, and these are nothing without a line.
        marker = {"color": colour, "symbol": symbols, "line": {"color": colour, "width": 1.2}}
        drawn.add_scattergl(**_points(found, members, of_each, marker), name=theme.plain(name, 18), showlegend=True)


def _add_numbers(drawn: go.Figure, found: ImageMap) -> None:
    """Draw the points of each split, coloured by their number, and the scale of the colours; ends that few numbers have do not
    stretch it."""
    name = theme.plain(found.class_names[0], 18)
    for split, symbol in SPLIT_SYMBOLS.items():
        if members := [index for index, of_each in enumerate(found.splits) if of_each == split]:
            numbers = [found.labels[index] for index in members]
            marker = {"color": numbers, "coloraxis": "coloraxis", "symbol": OTHERS[1] + symbol}
            words = [f"{name} {number:,.6g}" for number in numbers]
            drawn.add_scattergl(**_points(found, members, words, marker), name=split, showlegend=True)
    low, high = map(float, np.quantile(found.labels, ENDS))
    bar = {"title": {"text": name, "side": "top"}, **SCALE_BAR}
    drawn.update_layout(coloraxis={"colorscale": theme.SCALE, "cmin": low, "cmax": high, "colorbar": bar})


def _points(found: ImageMap, members: Sequence[int], of_each: Sequence[str], marker: dict[str, Any]) -> dict[str, Any]:
    """Return what is drawn of the points `members`, with a word on the label of each."""
    files = [theme.plain(found.names[index], 60) for index in members]
    return {
        "x": [found.x[index] for index in members],
        "y": [found.y[index] for index in members],
        "mode": "markers",
        "marker": {"size": 7, "opacity": 0.8, **marker},
        "customdata": [
            [index, file, found.splits[index], word] for index, file, word in zip(members, files, of_each, strict=True)
        ],
        "hovertemplate": "%{customdata[3]}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    }


def _look(label: int) -> tuple[str, str]:
    """Return colour and marker of a class."""
    return theme.RUNS[label % len(theme.RUNS)], theme.SYMBOLS[label // len(theme.RUNS) % len(theme.SYMBOLS)]
