"""The network as a row of blocks for every phase: what is frozen, what trains, and what that costs."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core import costs
from tl_core.analysis.statements import count
from tl_core.backbones import BlockOutline
from tl_core.strategies import Phase
from tl_core.ui.charts import theme

ROW = 74
"""Pixels of a phase: two lines of text and its blocks under them."""
HEAD_WIDTH = 2.0
"""Width of the head in blocks: room for its learning rate, which every phase has."""
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
    edges = [*range(len(blocks) + 1), len(blocks) + HEAD_WIDTH]
    rows = [_trains(phase, blocks) for phase in phases]
    for row, (phase, trains) in enumerate(zip(phases, rows, strict=True)):
        hovers = [_block_hover(block, blocks, phase, trained) for block, trained in zip(blocks, trains, strict=False)]
        drawn.add_heatmap(
            x=edges,
            y=[row + 0.46, row + 0.94],
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
        _rates(drawn, row, phase, trains)
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
    drawn.add_annotation(
        text=f"<b>{row + 1} {theme.plain(phase.name, 24)}</b> · {epochs}<br>{parameters} parameters train; {cost(phase, blocks)}",
        x=0,
        xref="paper",
        xanchor="left",
        y=row + 0.44,
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


def _rates(drawn: go.Figure, row: int, phase: Phase, trains: Sequence[bool]) -> None:
    """The learning rate, once, in the middle of the orange that ends at the head: all of a phase trains at one rate."""
    frozen = [index for index, trained in enumerate(trains) if not trained]
    start = frozen[-1] + 1 if frozen else 0
    end = len(trains) - 1 + HEAD_WIDTH
    wide = end - start > 6
    drawn.add_annotation(
        text=f"learning rate {phase.learning_rate:g}" if wide else f"{phase.learning_rate:g}",
        x=(start + end) / 2, y=row + 0.7, showarrow=False, font={"color": theme.INK, "size": 11},
    )  # fmt: skip


def _block_hover(block: BlockOutline, blocks: Sequence[BlockOutline], phase: Phase, trained: bool) -> str:
    total = sum(each.multiply_adds for each in blocks) or 1
    norm = "frozen too" if phase.batch_norm == "frozen" else "adapts"
    lines = [
        f"<b>{theme.plain(block.name)}</b>",
        f"Trains at learning rate {phase.learning_rate:g}" if trained else "Frozen",
        f"{block.layers} layer{'s' if block.layers != 1 else ''}, {block.parameters:,} parameters",
        f"{block.multiply_adds / 1e6:,.1f} M multiply-adds, {100 * block.multiply_adds / total:.0f} % of a pass",
    ]
    if block.norm_parameters:
        lines.append(f"BatchNorm: {block.norm_parameters:,} of the parameters" + (f", {norm}" if trained else ""))
    return "<br>".join(lines)


def _head_hover(parameters: int, phase: Phase) -> str:
    return f"<b>head</b><br>Trains at learning rate {phase.learning_rate:g}<br>1 layer, {parameters:,} parameters"
