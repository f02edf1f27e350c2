"""What a run can and cannot do, and where its time went."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tl_core.analysis.stage_titles import activity_title
from tl_core.analysis.statements import seconds
from tl_core.events import Activity
from tl_core.result import Timing
from tl_core.ui.charts import theme
from tl_core.ui.charts.data import data_uri, hover_cells

MOST_NUMBERS = 16
"""Up to so many classes the cells have room for numbers."""
MOST_CLASSES = 100
"""So many classes can be told apart in a matrix; of more, those that are confused most are drawn."""
LEAST = 130
"""Pixels of the rows together: the title of their axis stands beside them."""
MOST_PARTS = 8


class TimeSlice(NamedTuple):
    """A part of a run's time: its title, its wall seconds, and what was done, None while it waited for a device."""

    title: str
    seconds: float
    activity: Activity | None = None


def confusion(
    matrix: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    images: NDArray[np.int64] | None = None,
    classes: int | None = None,
) -> go.Figure:
    """Draw which class (rows) was taken for which (columns): `matrix` (k, k) counts test images; colour and number are percent of
    the row. Where the k classes are some of `classes`, `images` (k,) counts all of each row. Raises `ValueError` for more than
    `MOST_CLASSES` of them; `tl_core.analysis.metrics.most_confused` chooses them. Colour goes from clear to deep blue, so that
    the empty cells are the page itself."""
    k = len(class_names)
    if k > MOST_CLASSES:
        raise ValueError(f"{k} classes, of which {MOST_CLASSES} can be drawn")
    images = matrix.sum(axis=1) if images is None else images
    if not k or not images.sum():
        return theme.empty("Confusion matrix", "No test examples were classified.")
    shares = (100 * matrix / np.maximum(images, 1)[:, None]).round(1)
    title = "Confusion matrix" if classes in {None, k} else f"The {k} most confused of {classes:,} classes"
    rows = k * (26 if k <= MOST_NUMBERS else 18 if k <= 40 else 12)
    drawn = theme.figure(title, 150 + max(rows, LEAST))
    names = [theme.plain(name, 60 if k <= 40 else 16) for name in class_names]
    places = [str(place) for place in range(k)]
    drawn.add_heatmap(
        x=places,
        y=places,
        z=shares,
        zmin=0,
        zmax=100,
        colorscale=theme.FROM_CLEAR,
        showscale=False,
        xgap=1 if k <= 40 else 0,
        ygap=1 if k <= 40 else 0,
        text=[[_confusion_hover(names, matrix, images, row, column) for column in range(k)] for row in range(k)],
        hovertemplate="%{text}<extra></extra>",
    )
    if k <= MOST_NUMBERS:
        theme.write_in_cells(drawn, shares, [[f"{share:.0f}" if share >= 0.5 else "" for share in row] for row in shares])
    _name_classes(drawn, class_names)
    return drawn


def _name_classes(drawn: go.Figure, class_names: Sequence[str]) -> None:
    """Write the names of the classes on both axes: of all, or, where they have no room, of every second one, and so on."""
    k = len(class_names)
    # Of categories Plotly counts how many names fit; two of the same name stay two, since their places are the categories.
    short = {str(place): theme.plain(name, 14) for place, name in enumerate(class_names)}
    common = {
        "type": "category",
        "nticks": 0,
        "labelalias": short,
        "showgrid": False,
        "tickfont": {"size": 12 if k <= 40 else 10},
    }
    turned = -90 if k > 2 else 0
    drawn.update_xaxes(**common, range=[-0.5, k - 0.5], tickangle=turned, title={"text": "Predicted class", "standoff": 8})
    drawn.update_yaxes(**common, range=[k - 0.5, -0.5], title={"text": "True class, each row 100 %", "standoff": 8})


def _confusion_hover(names: Sequence[str], matrix: NDArray[np.int64], of_class: NDArray[np.int64], row: int, column: int) -> str:
    counted, images = int(matrix[row, column]), int(of_class[row])
    verb = "recognised" if row == column else f"taken for {names[column]}"
    return f"<b>{names[row]}</b> {verb}<br>{counted:,} of {images:,}, {100 * counted / max(images, 1):.0f} %"


def seconds_bar(timings: Sequence[Timing], waited_seconds: float | None) -> go.Figure:
    """Draw where the time went, in wall seconds: one bar, a part for each of `timings`, before them what it waited."""
    started = [TimeSlice("Waiting, start-up", waited_seconds)] if waited_seconds is not None else []
    parts = _merged([*started, *(TimeSlice(activity_title(t.activity, t.phase), t.seconds, t.activity) for t in timings)])
    total = sum(part.seconds for part in parts)
    title = "Where the time went"
    if not total:
        return theme.empty(title, "The seconds of a finished run will be here.", height=120)
    before = f", after {seconds(waited_seconds)} of waiting" if waited_seconds is not None else ""
    drawn = theme.figure(
        f"Where the {seconds(sum(part.seconds for part in timings))} went{before}", 128 + 20 * -(-len(parts) // 2), legend=True
    )
    for part, style in zip(parts, _styles(parts), strict=True):
        drawn.add_bar(
            x=[part.seconds],
            y=[0],
            orientation="h",
            name=theme.plain(part.title, 28),
            marker=style,
            text=seconds(part.seconds) if part.seconds / total >= 0.12 else "",
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": theme.INK, "size": 12},
            customdata=[[theme.plain(part.title, 60), seconds(part.seconds), 100 * part.seconds / total]],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}, %{customdata[2]:.0f} % of the run<extra></extra>",
        )
    # Below the bar there is room for as many rows of names as a narrow screen needs.
    drawn.update_layout(barmode="stack", bargap=0, margin_t=40)
    drawn.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 11}})
    drawn.update_yaxes(visible=False, title="Run")
    drawn.update_xaxes(title={"text": "Wall seconds", "standoff": 6}, range=[0, total], nticks=6)
    return drawn


def _merged(parts: Sequence[TimeSlice]) -> list[TimeSlice]:
    """Return at most `MOST_PARTS` parts: where there are more, all phases of training are one."""
    phases = [part for part in parts if part.activity is Activity.TRAINING]
    if len(parts) <= MOST_PARTS or len(phases) < 2:
        return list(parts)
    title = f"{activity_title(Activity.TRAINING)}, {len(phases)} phases"
    training = TimeSlice(title, sum(part.seconds for part in phases), Activity.TRAINING)
    place = parts.index(phases[0])
    return [*parts[:place], training, *(part for part in parts[place:] if part.activity is not Activity.TRAINING)]


def _styles(parts: Sequence[TimeSlice]) -> list[dict[str, Any]]:
    """Return the style of each part: orange for training, where a second and third phase are hatched; ice blue for passing images
    through a frozen network; other colours for the rest."""
    others = cycle((theme.NEUTRAL, theme.SCRATCH, theme.PURPLE, theme.GREEN, theme.VERMILLION))
    hatches = cycle(("", "/", "x", "."))
    styles: list[dict[str, Any]] = []
    for part in parts:
        if part.activity is Activity.TRAINING:
            pattern = {"shape": next(hatches), "fillmode": "overlay", "fgcolor": theme.INK, "fgopacity": 0.35, "size": 7}
            styles.append({"color": theme.TRAINING, "pattern": pattern})
        else:
            styles.append({"color": theme.FROZEN if part.activity is Activity.COMPUTING_FEATURES else next(others)})
    return styles


IMAGE_ROW = 150
"""Pixels of a row of pictures with its caption."""


def image_grid(pixels: NDArray[np.uint8], captions: Sequence[str], hovers: Sequence[str], columns: int = 6) -> go.Figure:
    """Draw pictures (m, s, s, 3), the hardest first, each with a caption of two lines under it and more in its hover.

    A caption too long for its column loses its end: what matters stands first ("61 % astronaut").
    """
    if not len(pixels):
        return theme.empty("The hardest test images", "No test images were classified.")
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    drawn = theme.figure("The hardest test images", 48 + IMAGE_ROW * rows)
    letters = max(10, 68 // columns)
    for index, picture in enumerate(pixels):
        row, column = divmod(index, columns)
        drawn.add_layout_image(
            source=data_uri(picture), xref="x", yref="y", x=column + 0.5, y=row + 0.74, sizex=0.94, sizey=0.72,
            xanchor="center", yanchor="bottom", sizing="contain",
        )  # fmt: skip
        caption = "<br>".join(theme.plain(line, letters) for line in captions[index].splitlines()[:2])
        drawn.add_annotation(text=caption, x=column + 0.5, y=row + 0.75, yanchor="top", showarrow=False, font_size=10)
    texts = [theme.lines(hover, 80) for hover in hovers] + [""] * (rows * columns - len(hovers))
    drawn.add_heatmap(**hover_cells([texts[row * columns : (row + 1) * columns] for row in range(rows)]))
    drawn.update_xaxes(range=[0, columns], visible=False, title="Images")
    drawn.update_yaxes(range=[rows, 0], visible=False, title="Images")
    return drawn
