"""What was foretold of networks against what they have reached."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.analysis.audit import Audit, Foretell, Held
from tl_core.ui.charts import theme
from tl_core.ui.charts.comparing import family_style

TITLE = "Reached against foretold"


def reached_against_foretold(audits: Sequence[Audit], foretell: Foretell) -> go.Figure:
    """Draw the test accuracy (%, with 95% intervals) of networks against what was foretold of them (a share, in %), each strategy
    in its own colour and marker. On the line a network has reached what was foretold. `customdata` is the network's title."""
    values = [value for audit in audits for each in audit.networks if (value := foretell(each.candidate)) is not None]
    if not values:
        return theme.empty(TITLE, "Networks that were ranked and trained will be here.")
    drawn = theme.figure(TITLE, 360, legend=True)
    ends = [100 * min(values), 100 * max(values)]
    drawn.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5},
        name="As foretold",
        hoverinfo="skip",
    )
    for audit in audits:
        _add(drawn, audit, foretell)
    return theme.axes(drawn, "Foretold: probe in cross-validation (%)", "Reached: test accuracy (%)")


def _add(drawn: go.Figure, audit: Audit, foretell: Foretell) -> None:
    """Draw the networks of one strategy."""
    told = [(100 * value, each) for each in audit.networks if (value := foretell(each.candidate)) is not None]
    _, colour, symbol = family_style(audit.name)
    drawn.add_scatter(
        x=[value for value, _ in told],
        y=[100 * each.accuracy for _, each in told],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (each.interval.high - each.accuracy) for _, each in told],
            "arrayminus": [100 * (each.accuracy - each.interval.low) for _, each in told],
            "thickness": 1.2,
            "width": 3,
        },
        mode="markers",
        customdata=[each.candidate.title for _, each in told],
        hovertext=[_hover(value, each) for value, each in told],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colour, "symbol": symbol, "size": 11},
        name=theme.plain(audit.title),
        cliponaxis=False,
    )


def _hover(value: float, each: Held) -> str:
    runs = "1 run" if len(each.run_ids) == 1 else f"the mean of {len(each.run_ids)} runs"
    return "<br>".join(
        (
            f"<b>{theme.plain(each.candidate.title)}</b>, {each.candidate.size}",
            f"Foretold {value:.1f} %",
            f"Reached {100 * each.accuracy:.1f} % ({100 * each.interval.low:.1f} to {100 * each.interval.high:.1f}), {runs}",
        )
    )
