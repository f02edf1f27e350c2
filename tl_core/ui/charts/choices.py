"""What there is to choose from."""

from collections.abc import Mapping, Sequence
from math import log

import plotly.graph_objects as go

from tl_core.backbones import CatalogueEntry
from tl_core.ui.charts import names, theme

TITLE = "Published accuracy against size"
DEPTH = 190
"""Pixels of the plot from top to bottom."""


def backbone_scatter(listings: Sequence[tuple[str, CatalogueEntry]], chosen_title: str) -> go.Figure:
    """Draw the published ImageNet top-1 accuracy (%) of networks against their parameters (millions, log axis).

    `listings` are pairs of a source's name and an entry of its catalogue. A marker is solid where the weights are on this
    machine; `customdata` is the title. Networks without a published accuracy are left out.
    """
    known = [(source, entry) for source, entry in listings if entry.accuracy is not None]
    if not known:
        return theme.empty(TITLE, "None of these networks has a published accuracy.")
    drawn = theme.figure(TITLE, 360, legend=True)
    entries = sorted((entry for _, entry in known), key=lambda entry: (entry.title != chosen_title, not entry.here))
    spread = [100 * (entry.accuracy or 0) for entry in entries]
    ends = min(spread) - 2, max(spread) + 2
    placed = _sides(entries, ends)
    for chosen in (False, True):
        for here in (True, False):
            group = [entry for entry in entries if entry.here == here and (entry.title == chosen_title) == chosen]
            _add_group(drawn, group, placed, here=here, chosen=chosen)
    _add_legend(drawn)
    theme.log_axis(drawn, [entry.parameters / 1e6 for entry in entries])
    drawn.update_yaxes(range=ends)
    return theme.axes(drawn, "Parameters (millions)", "ImageNet top-1 accuracy (%)")


def _sides(entries: Sequence[CatalogueEntry], ends: tuple[float, float]) -> dict[str, str]:
    """Return on which side of its marker the name of each network stands, by its title; the first have the first choice."""
    sizes = [log(entry.parameters) for entry in entries]
    across = names.along(sizes, (min(sizes) - log(1.5), max(sizes) + log(1.5)), names.NARROW)
    down = names.along([100 * (entry.accuracy or 0) for entry in entries], ends[::-1], DEPTH)
    places = [names.Place(x, y, len(entry.title)) for x, y, entry in zip(across, down, entries, strict=True)]
    free = zip(entries, names.sides(places, names.NARROW), strict=True)
    return {entry.title: side for entry, side in free if side}


def _add_group(drawn: go.Figure, group: Sequence[CatalogueEntry], sides: Mapping[str, str], *, here: bool, chosen: bool) -> None:
    if not group:
        return
    named = [theme.plain(entry.title) if entry.title in sides else "" for entry in group]
    drawn.add_scatter(
        x=[entry.parameters / 1e6 for entry in group],
        y=[100 * (entry.accuracy or 0) for entry in group],
        mode="markers+text",
        text=[f"<b>{name}</b>" if chosen and name else name for name in named],
        textposition=[sides.get(entry.title, "top left") for entry in group],
        customdata=[entry.title for entry in group],
        hovertext=[_hover(entry) for entry in group],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "symbol": "circle" if here else "circle-open",
            "size": 16 if chosen else 12,
            "color": theme.CHOSEN if chosen else theme.NEUTRAL,
            "line": {"width": 2, "color": theme.CHOSEN if chosen else theme.NEUTRAL},
        },
        showlegend=False,
        cliponaxis=False,
    )


def _add_legend(drawn: go.Figure) -> None:
    for name, symbol, colour in (
        ("On this machine", "circle", theme.NEUTRAL),
        ("Not on this machine", "circle-open", theme.NEUTRAL),
        ("Chosen", "circle", theme.CHOSEN),
    ):
        marker = {"symbol": symbol, "color": colour, "size": 10, "line": {"width": 2, "color": colour}}
        drawn.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)


def _hover(entry: CatalogueEntry) -> str:
    return "<br>".join(
        (
            f"<b>{theme.plain(entry.title)}</b>",
            f"{100 * (entry.accuracy or 0):.1f} % ImageNet top-1 ({theme.plain(entry.reference, 60)})",
            f"{entry.parameters / 1e6:.1f} M parameters",
            "Weights are on this machine" if entry.here else "Weights are not on this machine",
        )
    )
