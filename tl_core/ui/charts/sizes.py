"""Widths and heights of images."""

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.ui.charts import theme


def image_sizes(sizes: Sequence[tuple[int, int]]) -> go.Figure:
    """Draw a point for each (width, height) in pixels; it is larger the more images have that size."""
    counted = Counter(sizes)
    most = max(counted.values())
    drawn = theme.axes(theme.figure("Sizes of the images", 260), "Width (pixels)", "Height (pixels)")
    drawn.add_scattergl(
        x=[width for width, _ in counted],
        y=[height for _, height in counted],
        mode="markers",
        marker={
            "size": [5 + 15 * (count / most) ** 0.5 for count in counted.values()],
            "color": theme.CHOSEN,
            "opacity": 0.6,
        },
        customdata=list(counted.values()),
        hovertemplate="%{x} x %{y} pixels: %{customdata} images<extra></extra>",
    )
    return drawn
