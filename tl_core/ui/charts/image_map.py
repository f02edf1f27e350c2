"""A map of images: a point for each, coloured by class."""

import plotly.graph_objects as go

from tl_core.examining.image_map import ImageMap
from tl_core.ui.charts import theme

MOST_CLASSES = 16
"""Classes of a colour and mark of their own: what an eye tells apart. The others are grey."""
SPLIT_SYMBOLS = {"train": "", "validation": "-open", "test": "-open-dot"}
HEIGHT = 520


def image_map(found: ImageMap) -> go.Figure:
    """The points of `found`. Training images are filled, validation images hollow, test images hollow with a dot; a point's
    `customdata` begins with its place on the sheet of pictures."""
    drawn = theme.figure("The images as the network sees them", HEIGHT, legend=True)
    for label, name in enumerate(found.class_names):
        members = [index for index, of_class in enumerate(found.labels) if of_class == label]
        if not members:
            continue
        alone = label < MOST_CLASSES
        shape = theme.SYMBOLS[label // len(theme.RUNS) % len(theme.SYMBOLS)] if alone else "circle"
        drawn.add_scattergl(
            x=[found.x[index] for index in members],
            y=[found.y[index] for index in members],
            mode="markers",
            name=theme.plain(name, 18) if alone else "other classes",
            legendgroup=str(label) if alone else "others",
            showlegend=alone or label == MOST_CLASSES,
            marker={
                "size": 7,
                "opacity": 0.8,
                "color": theme.RUNS[label % len(theme.RUNS)] if alone else theme.SCRATCH,
                "symbol": [shape + SPLIT_SYMBOLS[found.splits[index]] for index in members],
            },
            customdata=[[index, theme.plain(found.names[index], 60), found.splits[index]] for index in members],
            hovertemplate=f"{theme.plain(name, 60)}<br>%{{customdata[1]}}<br>%{{customdata[2]}}<extra></extra>",
        )
    drawn.update_xaxes(visible=False, title="Without unit")
    drawn.update_yaxes(visible=False, title="Without unit", scaleanchor="x")
    drawn.update_layout(uirevision=str(len(found.x)))
    return drawn
