"""What a model says of one picture."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image, ImageColor

from tl_core.ui.charts import theme

ROW = 26
"""Pixels of a bar with its gap."""
HOTTEST = 0.7
"""How much of the colour lies on the hottest place: what is below must still be seen."""


def output_bars(outputs: Sequence[tuple[str, float]], said: Collection[str]) -> go.Figure:
    """Draw the probability (0..1) of each of the `outputs`, the first on top; those that are `said` stand out."""
    if not outputs:
        return theme.empty("The most probable", "What the model says of the picture will be here.")
    drawn = theme.figure("The most probable", 76 + ROW * len(outputs))
    names = [theme.plain(name, 60) for name, _ in outputs]
    drawn.add_bar(
        x=[100 * value for _, value in outputs],
        y=list(range(len(outputs))),
        orientation="h",
        marker={"color": [theme.CHOSEN if name in said else theme.NEUTRAL for name, _ in outputs]},
        text=[f"{100 * value:.3g} %" if value >= 0.001 else "below 0.1 %" for _, value in outputs],
        textposition="outside",
        cliponaxis=False,
        customdata=names,
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    drawn.update_layout(bargap=0.3)
    drawn.update_xaxes(title={"text": "Probability (%)", "standoff": 4}, range=[0, 118], tickvals=[0, 25, 50, 75, 100])
    drawn.update_yaxes(
        range=[len(outputs) - 0.5, -0.5],
        showgrid=False,
        tickvals=list(range(len(outputs))),
        ticktext=[theme.plain(name, 22) for name, _ in outputs],
    )
    return drawn


def with_heat(pixels: NDArray[np.uint8], heat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture (h, w, 3) in grey, with its heat map (h, w) laid over it in a colour."""
    grey, share = np.asarray(Image.fromarray(pixels).convert("L"))[..., None], HOTTEST * heat[..., None] / 255
    return np.asarray(np.rint((1 - share) * grey + share * np.array(ImageColor.getrgb(theme.VERMILLION))), np.uint8)
