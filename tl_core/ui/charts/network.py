"""The network as a row of blocks for every phase: what is frozen, what trains, and what that costs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tl_core import costs
from tl_core.analysis.statements import count
from tl_core.backbones import BlockOutline
from tl_core.strategies import Phase
from tl_core.ui.charts import theme

ROW = 78
"""Pixels of a phase: two lines of text and its blocks under them."""
FEW = 8
"""Up to so many blocks each has room for its learning rate."""
TITLE = "What trains in each phase"


def phase_chart(blocks: Sequence[BlockOutline], phases: Sequence[Phase], head_parameters: int) -> go.Figure:
    """`blocks` from the pixels (left) to the head (right), a row for each of `phases`; blue is frozen, orange trains.

    Above each row: the parameters that train, and what an epoch costs of training everything for an epoch, where
    forward counts 1 and backward 2 (`tl_core.costs`). Blocks are drawn equally wide; what each is, is in its hover.
    """
    if not phases:
        return theme.empty(TITLE, "This strategy has no phases to draw.")
    drawn = theme.figure(TITLE, 96 + ROW * len(phases), legend=True)
    names = [block.name for block in blocks] + ["head"]
    # The head is wide enough for a number, however many blocks there are.
    edges = [*range(len(blocks) + 1), len(blocks) + max(1.0, len(blocks) / 7)]
    rows = [_trains(phase, blocks) for phase in phases]
    for row, (phase, trains) in enumerate(zip(phases, rows, strict=True)):
        hovers = [_block_hover(block, blocks, phase, trained) for block, trained in zip(blocks, trains, strict=False)]
        drawn.add_heatmap(
            x=edges,
            y=[row + 0.54, row + 0.94],
            z=[[int(trained) for trained in trains]],
            text=[[*hovers, _head_hover(head_parameters, phase)]],
            zmin=0,
            zmax=1,
            colorscale=[(0, theme.FROZEN), (1, theme.TRAINING)],
            showscale=False,
            xgap=2,
            hovertemplate="%{text}<extra></extra>",
        )
        _caption(drawn, row, phase, blocks, head_parameters)
        _rates(drawn, row, phase, trains, edges)
    for name, colour in (("Frozen", theme.FROZEN), ("Trains", theme.TRAINING)):
        drawn.add_scatter(x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": colour}, name=name)
    drawn.update_xaxes(
        range=[0, edges[-1]],
        showgrid=False,
        tickvals=[0.5, (edges[-2] + edges[-1]) / 2] if blocks else [edges[-1] / 2],
        ticktext=[theme.plain(names[0], 14), "head"] if blocks else ["head"],
        title={"text": "Blocks, from the pixels to the head", "standoff": 2},
    )
    drawn.update_yaxes(range=[len(phases), 0], visible=False, title="Phase")
    return drawn


def _trains(phase: Phase, blocks: Sequence[BlockOutline]) -> list[bool]:
    """Whether each block trains, and the head, which always does."""
    trained = set(phase.trained_blocks(blocks))
    return [block.name in trained for block in blocks] + [True]


def _caption(drawn: go.Figure, row: int, phase: Phase, blocks: Sequence[BlockOutline], head: int) -> None:
    parameters = count(costs.trainable_parameters(phase, blocks, head))
    epochs = f"{phase.epochs} epoch{'s' if phase.epochs != 1 else ''}"
    first = f"<b>{row + 1} {theme.plain(phase.name, 20)}</b> · {epochs} · learning rate {rate(phase)}"
    drawn.add_annotation(
        text=f"{first}<br>{parameters} parameters train; {cost(phase, blocks)}",
        x=0,
        xref="paper",
        xanchor="left",
        y=row + 0.53,
        yanchor="bottom",
        align="left",
        showarrow=False,
        font_size=12,
    )


def cost(phase: Phase, blocks: Sequence[BlockOutline]) -> str:
    """What an epoch of `phase` costs, in words that fit above a row."""
    if not phase.trained_blocks(blocks):
        return "one pass, then the head alone"
    return f"{100 * (1 + 2 * costs.trained_share(phase, blocks)) / 3:.0f} % of a full pass"


def _rates(drawn: go.Figure, row: int, phase: Phase, trains: Sequence[bool], edges: Sequence[float]) -> None:
    """The learning rate on the head, which is wide enough, and on the other orange blocks where they are few."""
    for index, trained in enumerate(trains):
        if trained and (index == len(trains) - 1 or len(trains) <= FEW):
            middle = (edges[index] + edges[index + 1]) / 2
            font = {"color": theme.INK, "size": 11}
            drawn.add_annotation(text=rate(phase), x=middle, y=row + 0.74, showarrow=False, font=font)


def rate(phase: Phase) -> str:
    """A phase's learning rate as a decimal number: "0.003", "0.00003"."""
    return str(np.format_float_positional(phase.learning_rate, precision=3, fractional=False, trim="-"))


def _block_hover(block: BlockOutline, blocks: Sequence[BlockOutline], phase: Phase, trained: bool) -> str:
    total = sum(each.multiply_adds for each in blocks) or 1
    norm = "frozen too" if phase.batch_norm == "frozen" else "adapts"
    lines = [
        f"<b>{theme.plain(block.name)}</b>",
        f"Trains at learning rate {rate(phase)}" if trained else "Frozen",
        f"{block.layers} layer{'s' if block.layers != 1 else ''}, {block.parameters:,} parameters",
        f"{block.multiply_adds / 1e6:,.1f} M multiply-adds, {100 * block.multiply_adds / total:.0f} % of a pass",
    ]
    if block.norm_parameters:
        lines.append(f"BatchNorm: {block.norm_parameters:,} of the parameters" + (f", {norm}" if trained else ""))
    return "<br>".join(lines)


def _head_hover(parameters: int, phase: Phase) -> str:
    return f"<b>head</b><br>Trains at learning rate {rate(phase)}<br>1 layer, {parameters:,} parameters"
