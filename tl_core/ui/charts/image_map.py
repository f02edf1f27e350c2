"""A map of images: a point for each, coloured by class."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.checks.projection import ImageMap
from tl_core.ui.charts import theme

MOST_CLASSES = 16
"""Classes of a colour and mark of their own: what an eye tells apart. The others are grey."""
OTHERS = (theme.SCRATCH, "circle")
SPLIT_SYMBOLS = {"train": "", "validation": "-open", "test": "-open-dot"}
HEIGHT = 520


def image_map(found: ImageMap) -> go.Figure:
    """Draw the points of `found`. Training images are filled, validation images hollow, test images hollow with a dot. A point's
    `customdata` begins with its place on the sheet of pictures."""
    drawn = theme.figure("The data as the network sees them", HEIGHT, legend=True)
    present = sorted(set(found.labels))
    for label in present:
        if label < MOST_CLASSES:
            _add_points(drawn, found, [label], found.class_names[label], _look(label))
    _add_points(drawn, found, [label for label in present if label >= MOST_CLASSES], "other classes", OTHERS)
    drawn.update_xaxes(visible=False, title="Without unit")
    drawn.update_yaxes(visible=False, title="Without unit", scaleanchor="x")
    drawn.update_layout(uirevision=str(len(found.x)))
    return drawn


def _add_points(drawn: go.Figure, found: ImageMap, classes: Sequence[int], name: str, look: tuple[str, str]) -> None:
    """Draw the points of these classes under one name, in one style.

    Args:
        drawn: The figure that they are added to.
        found: The map that the points are from.
        classes: Numbers of the classes.
        name: What the legend says.
        look: Colour and marker.
    """
    colour, shape = look
    members = [index for index, label in enumerate(found.labels) if label in classes]
    if not members:
        return
    told = [(theme.plain(found.class_names[found.labels[index]], 60), theme.plain(found.names[index], 60)) for index in members]
    drawn.add_scattergl(
        x=[found.x[index] for index in members],
        y=[found.y[index] for index in members],
        mode="markers",
        name=theme.plain(name, 18),
        showlegend=True,
        marker={
            "size": 7,
            "opacity": 0.8,
            "color": colour,
            "symbol": [shape + SPLIT_SYMBOLS[found.splits[index]] for index in members],
        },
        customdata=[[index, file, found.splits[index], of_class] for index, (of_class, file) in zip(members, told, strict=True)],
        hovertemplate="%{customdata[3]}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def _look(label: int) -> tuple[str, str]:
    """Return colour and marker of a class."""
    return theme.RUNS[label % len(theme.RUNS)], theme.SYMBOLS[label // len(theme.RUNS) % len(theme.SYMBOLS)]
