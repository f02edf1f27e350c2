"""What a dataset holds: its pictures, how many of each class, and how they are split."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tl_core.ui.charts import theme

MOST_ROWS = 20
MOST_CLASSES = 30
ROW = 44
"""Pixels of a row of samples."""
GAP = 4
"""Pixels between two samples, before they are scaled."""


def sample_grid(
    images: Sequence[Sequence[NDArray[np.uint8]]],
    class_names: Sequence[str],
    size: int = 64,
    *,
    of: str = "each class",
    many: str = "classes",
) -> go.Figure:
    """Draw a row of pictures for each class, at most 20 of them.

    They are composed into one image with clear gaps: hundreds of separate ones make a browser slow.

    Args:
        images: The pictures of each row, (h, w, 3) uint8.
        class_names: What the rows are called.
        size: They are cropped to squares of so many pixels.
        of: What a row is.
        many: What several rows are.
    """
    shown = list(images)[:MOST_ROWS]
    columns = max((len(row) for row in shown), default=0)
    if not columns:
        return theme.empty(f"Samples of {of}", "The pictures of the chosen dataset will be here.")
    more = max(len(images), len(class_names)) - len(shown)
    title = f"Samples of {theme.plain(of)}" + (f", and {more:,} more {many}" if more else "")
    drawn = theme.figure(title, 56 + ROW * len(shown))
    drawn.add_layout_image(
        source=data_uri(_compose(shown, columns, size)), xref="x", yref="y", x=0, y=0, sizex=columns, sizey=len(shown),
        sizing="stretch", layer="below",
    )  # fmt: skip
    names = [theme.plain(name, 60) for name in class_names[: len(shown)]]
    drawn.add_heatmap(
        **hover_cells([[name] * len(row) + [""] * (columns - len(row)) for name, row in zip(names, shown, strict=True)])
    )
    drawn.update_xaxes(range=[0, columns], visible=False, constrain="domain", constraintoward="left", title="Samples")
    drawn.update_yaxes(
        range=[len(shown), 0], scaleanchor="x", constrain="domain", constraintoward="top", showgrid=False, title=None,
        tickvals=[row + 0.5 for row in range(len(shown))], ticktext=[theme.plain(name, 16) for name in class_names[: len(shown)]],
    )  # fmt: skip
    return drawn


def hover_cells(texts: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return an invisible heatmap, one unit a cell from (0, 0), that shows `texts` (already plain) under the pointer."""
    return {
        "x": list(range(max(len(row) for row in texts) + 1)),
        "y": list(range(len(texts) + 1)),
        "z": [[0] * len(row) for row in texts],
        "text": [list(row) for row in texts],
        "colorscale": [(0, theme.CLEAR), (1, theme.CLEAR)],
        "showscale": False,
        "hovertemplate": "%{text}<extra></extra>",
    }


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return an image (h, w, 3 or 4) as a data URI. It is WebP, which keeps clear pixels clear and is small."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", quality=88, method=2)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _compose(rows: Sequence[Sequence[NDArray[np.uint8]]], columns: int, size: int) -> NDArray[np.uint8]:
    """Return the pictures as squares on a clear ground (rows * (size + GAP), columns * (size + GAP), 4)."""
    pitch = size + GAP
    sheet = np.zeros((len(rows) * pitch, columns * pitch, 4), np.uint8)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            smooth = Image.Resampling.BOX if max(picture.shape[:2]) >= size else Image.Resampling.NEAREST
            square = np.asarray(ImageOps.fit(Image.fromarray(picture), (size, size), smooth))
            top, left = row * pitch + GAP // 2, column * pitch + GAP // 2
            sheet[top : top + size, left : left + size, :3] = square
            sheet[top : top + size, left : left + size, 3] = 255
    return sheet


def class_balance(
    counts: Mapping[str, Mapping[str, int]], thing: str = "images", *, one: str = "class", many: str = "classes"
) -> go.Figure:
    """Draw how many examples (called a `thing`) each class has, stacked by split, from split -> class -> count. Of more than 30
    classes the 15 largest and the 15 smallest are drawn. `one` is what a class is called, and `many` what several are."""
    totals: dict[str, int] = {}
    for of_split in counts.values():
        for name, images in of_split.items():
            totals[name] = totals.get(name, 0) + images
    if not totals:
        return theme.empty(f"{thing.capitalize()} of each {one}", f"The {many} of the chosen dataset will be here.")
    ranked = sorted(totals, key=lambda name: -totals[name])
    half = MOST_CLASSES // 2
    too_many = len(ranked) > MOST_CLASSES
    shown = [*ranked[:half], *ranked[-half:]] if too_many else ranked
    title = f"{thing.capitalize()} of {f'the {half} largest and {half} smallest {many}' if too_many else f'each {one}'}"
    drawn = theme.figure(title, 112 + max(20 * len(shown), 64), legend=True)
    for split, of_class in counts.items():
        drawn.add_bar(
            x=[of_class.get(name, 0) for name in shown],
            y=list(range(len(shown))),
            orientation="h",
            name=theme.plain(split).capitalize(),
            marker_color=theme.SPLITS.get(split, theme.NEUTRAL),
            customdata=[theme.plain(name, 60) for name in shown],
            hovertemplate=f"%{{customdata}}<br>{theme.plain(split)}: %{{x:,}} {thing}<extra></extra>",
        )
    drawn.update_layout(barmode="stack", bargap=0.25)
    drawn.update_yaxes(
        autorange="reversed", tickvals=list(range(len(shown))), ticktext=[theme.plain(n, 18) for n in shown], showgrid=False
    )
    drawn.update_xaxes(title={"text": thing.capitalize(), "standoff": 6}, nticks=5, showgrid=True)
    return drawn


def split_bar(train: int, validation: int, test: int, thing: str = "images") -> go.Figure:
    """Draw how many examples (called a `thing`) train, validate and test, as one bar with the counts beside their names."""
    sizes = {"train": train, "validation": validation, "test": test}
    total = sum(sizes.values())
    if not total:
        return theme.empty(f"How the {thing} are split", f"This dataset has no {thing}.", height=120)
    drawn = theme.figure(f"How the {thing} are split", 118, legend=True)
    for split, images in sizes.items():
        share = 100 * images / total
        drawn.add_bar(
            x=[images],
            y=[0],
            orientation="h",
            name=f"{split.capitalize()} {images:,}",
            marker_color=theme.SPLITS[split],
            text=f"{share:.0f} %" if share >= 10 else "",
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": theme.INK if split == "train" else "white", "size": 12},
            hovertemplate=f"{split.capitalize()}: {images:,} {thing}, {share:.1f} %<extra></extra>",
        )
    drawn.update_layout(barmode="stack", bargap=0)
    drawn.update_yaxes(visible=False, title="Split")
    drawn.update_xaxes(visible=False, range=[0, total], title=thing.capitalize())
    return drawn
