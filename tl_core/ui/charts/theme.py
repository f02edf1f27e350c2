"""The one visual language of every chart: colours, the Plotly template, and how text from outside is made safe.

The colours are those of Okabe and Ito (2008, "Color universal design"), which readers with any of the common colour
deficiencies tell apart. Backgrounds stay transparent and text takes the page's own colour, so that a figure reads
on white as on near-black.
"""

import html
import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from tl_core.errors import is_visible

Item = TypeVar("Item")

FROZEN = "#56B4E9"
TRAINING = "#E69F00"
PALE_TRAINING = "#F4D8A0"
SCRATCH = "#999999"
# A run that stands out must do so on both grounds. Black vanishes in the dark theme; this deep blue has a contrast of
# 5.2 to white and 3.6 to #0E1117, above the 3 that WCAG asks of graphics.
CHOSEN = "#0072B2"
GREEN, VERMILLION, PURPLE = "#009E73", "#D55E00", "#CC79A7"
# Things that are none of the above. Bluer and darker than SCRATCH, so that it does not claim to be a run from scratch.
NEUTRAL = "#7389A3"
INK = "#1A1A1A"
"""Text on FROZEN and TRAINING, in either theme."""
SPLITS = {"train": TRAINING, "validation": CHOSEN, "test": GREEN}
# Okabe-Ito's yellow is left out: it cannot be seen on white.
RUNS = (VERMILLION, GREEN, PURPLE, FROZEN, TRAINING, NEUTRAL)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
SCALE = [(0, CHOSEN), (0.5, SCRATCH), (1, TRAINING)]
"""Of numbers, from small to large: what can be seen on both grounds, from blue to orange, which all eyes tell apart."""
FROM_CLEAR = [(0, "rgba(0,114,178,0.04)"), (1, "rgba(0,114,178,1)")]
"""Of cells of a matrix, from none to all: what is empty is the page itself."""
_WHITE_ABOVE = 72.0
SHADE = "rgba(128,128,128,0.12)"
CLEAR = "rgba(0,0,0,0)"

MOST_POINTS = 500
"""Points a curve may have: what a browser redraws every two seconds without being felt."""
MOST_BYTES = 1_500_000
"""What a figure takes at most as JSON, whatever it is of: a browser shows it at once."""
TITLE_PIXELS = 34
"""From the top of a figure to below its title."""
CONFIG: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False}
"""What a page passes to `st.plotly_chart(config=...)`."""
TEMPLATE = "transfer_lab"
_GRID = "rgba(128,128,128,0.22)"

pio.templates[TEMPLATE] = go.layout.Template(
    layout=go.Layout(
        colorway=RUNS,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": "Source Sans, Source Sans Pro, sans-serif", "size": 13},
        xaxis={"automargin": True, "gridcolor": _GRID, "zeroline": False, "nticks": 7, "ticks": "", "ticklabelstandoff": 5},
        yaxis={"automargin": True, "gridcolor": _GRID, "zeroline": False, "nticks": 6, "ticks": ""},
        hoverlabel={"align": "left"},
        modebar={"bgcolor": CLEAR},
    )
)


def figure(title: str, height: int, *, legend: bool = False) -> go.Figure:
    """Return an empty figure of `height` pixels in the common style; with `legend` there is room for one under the title."""
    return dress(go.Figure(), title, height, legend=legend)


def dress(drawn: go.Figure, title: str, height: int, *, legend: bool = False) -> go.Figure:
    """Give `drawn` the template, title, margins and legend that every chart has, and return it."""
    drawn.update_layout(layout(title, height, legend=legend))
    return drawn


def layout(title: str, height: int, *, legend: bool = False) -> dict[str, Any]:
    """Return the template, title, margins and legend that every chart has, for a figure that is made of plain values. This takes
    a fifth of the time of changing a figure bit by bit, which is felt where charts are drawn every two seconds.

    Streamlit's theme rewrites what a template says of titles, margins and backgrounds, so these stand in the layout.
    """
    at_the_top = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "top", "pad": {"t": 8, "l": 2}}
    return {
        "template": TEMPLATE,
        "title": {"text": title, "font": {"size": 15}, **at_the_top},
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 66 if legend else 44, "b": 8, "pad": 4},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "xref": "container",
            "x": 0,
            "xanchor": "left",
            # Measured from the figure's own edge, so that the plot begins below as many rows of names as there are.
            "yref": "container",
            "y": 1 - TITLE_PIXELS / height,
            "yanchor": "top",
            "bgcolor": CLEAR,
            "itemsizing": "constant",
            "traceorder": "normal",
        },
        "hovermode": "closest",
        "dragmode": False,
    }


def panels(rows: int, cols: int, **spacing: Any) -> dict[str, dict[str, Any]]:
    """Return the axes of so many panels, by their names in a layout; `spacing` as in Plotly's `make_subplots`."""
    return {name: dict(axis) for name, axis in _panels(rows, cols, **spacing).items()}


@cache
def _panels(rows: int, cols: int, **spacing: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = make_subplots(rows, cols, **spacing).to_plotly_json()["layout"]
    return {name: axis for name, axis in found.items() if name[1:].startswith("axis")}


def axes(drawn: go.Figure, x: str, y: str) -> go.Figure:
    """Give the axes of `drawn` titles, near enough that they belong to them, and return it."""
    drawn.update_xaxes(title={"text": x, "standoff": 8})
    drawn.update_yaxes(title={"text": y, "standoff": 8})
    return drawn


POWERS = range(-3, 13)
"""Of ten, that are ticked on a log axis."""


def log_axis(drawn: go.Figure, values: Sequence[float]) -> None:
    """Give `drawn` a log x axis around `values` (all above 0), ticked at 1, 2, 5, 10, ..., which reads better than Plotly's own
    ticks."""
    low, high = min(values) / 1.5, max(values) * 1.5
    steps = [base * 10.0**power for power in POWERS for base in (1, 2, 5)]
    ticks = [step for step in steps if low <= step <= high]
    if len(ticks) > 7:
        ticks = [10.0**power for power in POWERS if low <= 10.0**power <= high]
    drawn.update_xaxes(type="log", range=[math.log10(low), math.log10(high)], showgrid=True)
    drawn.update_xaxes(tickvals=ticks, ticktext=[f"{tick:,g}" for tick in ticks])


def write_in_cells(drawn: go.Figure, shares: NDArray[np.float64], texts: Sequence[Sequence[str]]) -> None:
    """Write `texts` into the cells of a heat map from clear to blue, by their `shares` (0..100) of the blue: in the page's own
    colour, but white where the blue is deep on any page. A cell with an empty text stays empty."""
    for deep in (False, True):
        cells = [cell for cell in np.argwhere((shares > _WHITE_ABOVE) == deep) if texts[cell[0]][cell[1]]]
        drawn.add_scatter(
            x=[column for _, column in cells],
            y=[row for row, _ in cells],
            mode="text",
            text=[texts[row][column] for row, column in cells],
            textfont={
                "size": [_size(texts[row][column], len(shares)) for row, column in cells],
                "color": "white" if deep else None,
            },
            hoverinfo="skip",
            showlegend=False,
        )


def _size(text: str, rows: int) -> int:
    """Return the size of a number in a cell: on a telephone three digits are wider than a cell of more than ten."""
    return 8 if rows > 10 and len(text) > 2 else 11


def empty(title: str, message: str, height: int = 160) -> go.Figure:
    """Draw a chart that has nothing to show yet and says in `message` what will be here."""
    drawn = figure(title, height)
    drawn.update_xaxes(visible=False, range=[0, 1])
    drawn.update_yaxes(visible=False, range=[0, 1])
    drawn.add_annotation(text=message, xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False)
    return drawn


def plain(text: object, most: int = 40) -> str:
    """Return `text` from outside as one line that Plotly shows letter by letter: no markup, no control or direction marks, at
    most `most` characters, the last of them an ellipsis where it was longer."""
    visible = "".join(letter if is_visible(letter) else " " for letter in str(text))
    line = " ".join(visible.split())
    short = line if len(line) <= most else line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return html.escape(short, quote=False)


def lines(text: object, most: int = 40) -> str:
    """Return `text` line by line, each as `plain` makes it."""
    return "<br>".join(plain(line, most) for line in str(text).splitlines())


def thin(items: Sequence[Item], most: int = MOST_POINTS) -> list[Item]:
    """Return at most `most` of `items`, evenly spaced; the first and the last are among them."""
    if len(items) <= most:
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, most).round().astype(int)]


def number(value: float | None, scale: float = 1.0) -> float | None:
    """Return `value` times `scale`, or None (a gap in the line) where it is missing or not finite."""
    return None if value is None or not np.isfinite(value) else float(value) * scale
