"""The network as a row of blocks for every phase: what is frozen, what trains, and what that costs."""

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from tl_core.analysis.statements import count
from tl_core.backbones import BlockOutline
from tl_core.planning import cost_model
from tl_core.planning.cost_model import Costs
from tl_core.strategies import HEAD, BatchNorm, Moves, Phase
from tl_core.ui.charts import theme

ROW = 78
"""Pixels of a phase: two lines of text and its blocks under them."""
MOST_PHASES = 24
FEW = 8
"""Up to so many blocks each has room for its learning rate."""
BARELY = 0.4
"""The shade of the slowest block that trains, where the fastest has 1."""
TITLE = "Trainable blocks in each phase"


def phase_chart(planned: Costs, head_parameters: int) -> go.Figure:
    """Draw blocks from the pixels (left) to the head (right), a row for each phase. Blue is frozen, orange trains, and light
    orange is a block of which only a part trains. Where blocks learn at different rates, the paler ones are slower.

    Above each row: the parameters that train, and what an epoch costs of training everything for an epoch, where forward counts 1
    and backward 2 (`tl_core.planning.cost_model`). Blocks are drawn equally wide; what each is, is in its hover.
    """
    blocks, phases = planned.cuts.blocks, planned.cuts.phases[:MOST_PHASES]
    if not phases:
        return theme.empty(TITLE, "This strategy has no phases to draw.")
    drawn = theme.figure(_title(len(planned.cuts.phases) - len(phases)), 96 + ROW * len(phases), legend=True)
    # The head is wide enough for a number, however many blocks there are.
    edges = [*range(len(blocks) + 1), len(blocks) + max(1.0, len(blocks) / 7)]
    rows = [_trains(phase, blocks) for phase in phases]
    for row, (phase, trains) in enumerate(zip(phases, rows, strict=True)):
        hovers = [_block_hover(block, blocks, phase, trained) for block, trained in zip(blocks, trains, strict=False)]
        drawn.add_heatmap(
            x=edges,
            y=[row + 0.54, row + 0.94],
            z=[_shades(phase, blocks, trains)],
            text=[[*hovers, _head_hover(head_parameters, phase)]],
            zmin=0,
            zmax=1,
            colorscale=[(0, theme.FROZEN), (BARELY, theme.FROZEN), (BARELY, theme.PALE_TRAINING), (1, theme.TRAINING)],
            showscale=False,
            xgap=2,
            hovertemplate="%{text}<extra></extra>",
        )
        _caption(drawn, row, phase, planned, head_parameters)
        _rates(drawn, row, phase, trains, edges)
    _legend(drawn, phases, blocks)
    drawn.update_xaxes(
        range=[0, edges[-1]],
        showgrid=False,
        tickvals=[0.5, (edges[-2] + edges[-1]) / 2] if blocks else [edges[-1] / 2],
        ticktext=[theme.plain(blocks[0].name, 14), "head"] if blocks else ["head"],
        title={"text": "Blocks, from the pixels to the head", "standoff": 2},
    )
    drawn.update_yaxes(range=[len(phases), 0], visible=False, title="Phase")
    return drawn


def _title(more: int) -> str:
    return TITLE + (f", and {more:,} more" if more else "")


def _legend(drawn: go.Figure, phases: Sequence[Phase], blocks: Sequence[BlockOutline]) -> None:
    whole = [phase for phase in phases if phase.moves == Moves.EVERYTHING]
    slower = any(0 < shade < 1 for phase in whole for shade in _shades(phase, blocks, _trains(phase, blocks)))
    partly = len(whole) < len(phases)
    pale = "Trains in part" if partly else "Trains more slowly"
    entries = [("Frozen", theme.FROZEN), ("Trains", theme.TRAINING), (pale, theme.PALE_TRAINING)]
    for name, colour in entries[: 3 if partly or slower else 2]:
        drawn.add_scatter(x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": colour}, name=name)


def _shades(phase: Phase, blocks: Sequence[BlockOutline], trains: Sequence[bool]) -> list[float]:
    """Return 0 for a frozen block, and `BARELY` to 1 for one that trains, by its learning rate on a log scale."""
    factors = phase.factors([block.name for block in blocks])
    rates = [factors[block.name] for block in blocks] + [factors[HEAD]]
    slowest = min(rate for rate, trained in zip(rates, trains, strict=True) if trained)
    span = math.log(max(rates) / slowest) or 1.0
    shades = [1 - (1 - BARELY) * math.log(max(rates) / rate) / span if max(rates) > slowest else 1.0 for rate in rates]
    if phase.moves != Moves.EVERYTHING:
        shades = [BARELY] * len(blocks) + [1.0]
    return [shade if trained else 0.0 for shade, trained in zip(shades, trains, strict=True)]


def _trains(phase: Phase, blocks: Sequence[BlockOutline]) -> list[bool]:
    """Return whether each block trains, and the head, which always does."""
    trained = set(phase.trained_blocks(blocks))
    return [block.name in trained for block in blocks] + [True]


def _caption(drawn: go.Figure, row: int, phase: Phase, planned: Costs, head: int) -> None:
    blocks = planned.cuts.blocks
    parameters = count(cost_model.trainable_parameters(phase, blocks, head))
    epochs = f"{phase.epochs} epoch{'s' if phase.epochs != 1 else ''}"
    how = f"computed ({phase.solver.title})" if phase.solver else f"{epochs} · {_rates_of(phase, blocks)}"
    first = f"<b>{row + 1} {theme.plain(phase.name, 20)}</b> · {how}"
    drawn.add_annotation(
        text=f"{first}<br>{parameters} parameters train; {cost(phase, planned)}",
        x=0,
        xref="paper",
        xanchor="left",
        y=row + 0.53,
        yanchor="bottom",
        align="left",
        showarrow=False,
        font_size=12,
    )


def _rates_of(phase: Phase, blocks: Sequence[BlockOutline]) -> str:
    """Return the learning rate of a phase as text, or the lowest and the highest of what trains in it."""
    factors = phase.factors([block.name for block in blocks])
    trained = [factors[name] for name in (*phase.trained_blocks(blocks), HEAD)]
    low, high = rate(phase, min(trained)), rate(phase, max(trained))
    return f"learning rate {high}" if low == high else f"learning rates {low} to {high}"


def batch_norm(phases: Sequence[Phase], blocks: Sequence[BlockOutline]) -> str:
    """Return what the BatchNorm layers do in each phase, in a sentence."""
    if not any(block.norm_parameters for block in blocks):
        return "The network has no BatchNorm."
    words = {
        BatchNorm.FROZEN: "stays frozen",
        BatchNorm.STATISTICS_FROZEN: "keeps its statistics and trains scale and shift",
        BatchNorm.ADAPTS: "follows the new images",
    }
    told = [words[phase.batch_norm] if phase.trained_blocks(blocks) else words[BatchNorm.FROZEN] for phase in phases]
    runs = [(said, [number for number, _ in of]) for said, of in groupby(enumerate(told, start=1), key=lambda pair: pair[1])]
    if len(runs) == 1:
        return f"BatchNorm {runs[0][0]}."
    spans = [f"{said} in phase {of[0]}" if len(of) == 1 else f"{said} in phases {of[0]} to {of[-1]}" for said, of in runs]
    return f"BatchNorm {', '.join(spans)}."


def cost(phase: Phase, planned: Costs) -> str:
    """Return what `phase` costs, in words that fit above a row: an epoch, and what is frozen once."""
    below = planned.cuts.cut(phase)
    if below == len(planned.cuts.blocks):
        return "33 % of a full pass, once"
    once = f", and {100 * planned.cuts.share_under(below) / 3:.0f} % once" if below else ""
    return f"{100 * planned.step_passes(phase) / 3:.0f} % of a full pass an epoch{once}"


def _rates(drawn: go.Figure, row: int, phase: Phase, trains: Sequence[bool], edges: Sequence[float]) -> None:
    """Draw the learning rate on the head, which is wide enough, and on the other orange blocks where they are few.

    Args:
        drawn: The figure.
        row: The phase's row, from 0.
        phase: What the rates are of.
        trains: Whether each block trains, and last the head.
        edges: Where the blocks and the head begin on the x axis, and the end.
    """
    factors = [*phase.factors([str(index) for index in range(len(trains) - 1)]).values()]
    for index, trained in enumerate(trains):
        if trained and not phase.solver and (index == len(trains) - 1 or len(trains) <= FEW):
            middle = (edges[index] + edges[index + 1]) / 2
            font = {"color": theme.INK, "size": 11}
            drawn.add_annotation(text=rate(phase, factors[index]), x=middle, y=row + 0.74, showarrow=False, font=font)


def rate(phase: Phase, factor: float = 1.0) -> str:
    """Return a phase's learning rate times `factor` as a decimal number: "0.003", "0.00003"."""
    return str(np.format_float_positional(factor * phase.learning_rate, precision=3, fractional=False, trim="-"))


def _block_hover(block: BlockOutline, blocks: Sequence[BlockOutline], phase: Phase, trained: bool) -> str:
    total = sum(each.multiply_adds for each in blocks) or 1
    norm = {BatchNorm.FROZEN: "frozen too", BatchNorm.STATISTICS_FROZEN: "its statistics stay", BatchNorm.ADAPTS: "adapts"}
    factor = phase.factors([each.name for each in blocks])[block.name]
    fast = "a rate that is measured" if phase.measured_rates else f"learning rate {rate(phase, factor)}"
    what = "Trains" if phase.moves == Moves.EVERYTHING else f"{phase.moves.capitalize()} train"
    lines = [
        f"<b>{theme.plain(block.name)}</b>",
        f"{what} at {fast}" if trained else "Frozen",
        f"{block.layers} layer{'s' if block.layers != 1 else ''}, {block.parameters:,} parameters",
        f"{block.multiply_adds / 1e6:,.1f} M multiply-adds, {100 * block.multiply_adds / total:.0f} % of a pass",
    ]
    if block.norm_parameters:
        lines.append(
            f"BatchNorm: {block.norm_parameters:,} of the parameters" + (f", {norm[phase.batch_norm]}" if trained else "")
        )
    return "<br>".join(lines)


def _head_hover(parameters: int, phase: Phase) -> str:
    how = f"Computed: {phase.solver.title}" if phase.solver else f"Trains at learning rate {rate(phase)}"
    return f"<b>head</b><br>{how}<br>{parameters:,} parameters"
