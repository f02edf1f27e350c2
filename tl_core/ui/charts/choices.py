"""What there is to choose from."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.backbones import CatalogueEntry
from tl_core.ui.charts import theme

TITLE = "Published accuracy against size"


def backbone_scatter(listings: Sequence[tuple[str, CatalogueEntry]], chosen_title: str) -> go.Figure:
    """Draw the published ImageNet top-1 accuracy (%) of networks against their parameters (millions, log axis).

    `listings` are pairs of a source's name and an entry of its catalogue. A marker is solid where the weights are on this
    machine; `customdata` is the title. Networks without a published accuracy are left out.
    """
    known = [(source, entry) for source, entry in listings if entry.accuracy is not None]
    if not known:
        return theme.empty(TITLE, "None of these networks has a published accuracy.")
    drawn = theme.figure(TITLE, 360, legend=True)
    for chosen in (False, True):
        for here in (True, False):
            group = [entry for _, entry in known if entry.here == here and (entry.title == chosen_title) == chosen]
            _add_group(drawn, group, here=here, chosen=chosen, known=[entry for _, entry in known])
    _add_legend(drawn)
    sizes = [entry.parameters / 1e6 for _, entry in known]
    theme.log_axis(drawn, sizes)
    accuracies = [100 * (entry.accuracy or 0) for _, entry in known]
    drawn.update_yaxes(range=[min(accuracies) - 2, max(accuracies) + 2])
    return theme.axes(drawn, "Parameters (millions)", "ImageNet top-1 accuracy (%)")


def _add_group(
    drawn: go.Figure, group: Sequence[CatalogueEntry], *, here: bool, chosen: bool, known: Sequence[CatalogueEntry]
) -> None:
    if not group:
        return
    largest, smallest = max(entry.parameters for entry in known), min(entry.parameters for entry in known)
    middle = (largest * smallest) ** 0.5
    drawn.add_scatter(
        x=[entry.parameters / 1e6 for entry in group],
        y=[100 * (entry.accuracy or 0) for entry in group],
        mode="markers+text",
        text=[f"<b>{theme.plain(entry.title)}</b>" if chosen else theme.plain(entry.title) for entry in group],
        textposition=["middle left" if entry.parameters > middle else "middle right" for entry in group],
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
