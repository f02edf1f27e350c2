"""What was foretold of networks against what they have reached."""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from tl_core.analysis.audit import Audit, Foretell, Held
from tl_core.ui.charts import names, theme
from tl_core.ui.charts.comparing import family_style
from tl_core.ui.charts.ranking import DEPTH, FEW

TITLE = "Reached against foretold"


class Point(NamedTuple):
    """A network that was trained by a strategy: what was foretold of it, and what it has reached."""

    audit: Audit
    foretold: float
    held: Held


def reached_against_foretold(audits: Sequence[Audit], foretell: Foretell) -> go.Figure:
    """Draw the test accuracy (%, with 95% intervals) of networks against what was foretold of them (a share, in %), each strategy
    in its own colour and marker. On the line a network has reached what was foretold. `customdata` is the network's title."""
    told = ((audit, foretell(held.candidate), held) for audit in audits for held in audit.networks)
    points = [Point(audit, 100 * value, held) for audit, value, held in told if value is not None]
    if not points:
        return theme.empty(TITLE, "Networks that were ranked and trained will be here.")
    drawn = theme.figure(TITLE, 360, legend=True)
    lowest, highest = (choose(point.foretold for point in points) for choose in (min, max))
    room = (highest - lowest) / 4 or 1.0  # for a name beside the last
    ends = lowest - room, highest + room
    drawn.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": theme.NEUTRAL, "dash": "dot", "width": 1.5},
        name="As foretold",
        hoverinfo="skip",
    )
    sides = _sides(points, ends) if len(points) <= FEW else [None] * len(points)
    for audit in audits:
        group = [(point, side) for point, side in zip(points, sides, strict=True) if point.audit is audit]
        if group:
            _add(drawn, *zip(*group, strict=True))
    drawn.update_xaxes(range=ends, showgrid=True)
    return theme.axes(drawn, "Foretold: probe in cross-validation (%)", "Reached: test accuracy (%)")


def _sides(points: Sequence[Point], ends: tuple[float, float]) -> list[str | None]:
    """Return on which side of its marker each network's name stands; None where it has no room."""
    across = names.along([point.foretold for point in points], ends, names.NARROW)
    reached = [100 * point.held.accuracy for point in points]
    highest = max(ends[1], *(100 * point.held.interval.high for point in points))
    lowest = min(ends[0], *(100 * point.held.interval.low for point in points))
    down = names.along(reached, (highest, lowest), DEPTH)
    letters = (len(point.held.candidate.title) for point in points)
    return names.sides([names.Place(*place) for place in zip(across, down, letters, strict=True)], names.NARROW)


def _add(drawn: go.Figure, points: Sequence[Point], sides: Sequence[str | None]) -> None:
    """Draw the networks of one strategy."""
    _, colour, symbol = family_style(points[0].audit.name)
    titles = [point.held.candidate.title for point in points]
    held = [point.held for point in points]
    drawn.add_scatter(
        x=[point.foretold for point in points],
        y=[100 * each.accuracy for each in held],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (each.interval.high - each.accuracy) for each in held],
            "arrayminus": [100 * (each.accuracy - each.interval.low) for each in held],
            "thickness": 1.2,
            "width": 3,
        },
        mode="markers+text",
        text=[theme.plain(title) if side else "" for title, side in zip(titles, sides, strict=True)],
        textposition=[side or "top left" for side in sides],
        customdata=titles,
        hovertext=[_hover(point) for point in points],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colour, "symbol": symbol, "size": 11},
        name=theme.plain(points[0].audit.title),
        cliponaxis=False,
    )


def _hover(point: Point) -> str:
    each = point.held
    runs = "1 run" if len(each.run_ids) == 1 else f"the mean of {len(each.run_ids)} runs"
    return "<br>".join(
        (
            f"<b>{theme.plain(each.candidate.title)}</b>, {each.candidate.size}",
            f"Foretold {point.foretold:.1f} %",
            f"Reached {100 * each.accuracy:.1f} % ({100 * each.interval.low:.1f} to {100 * each.interval.high:.1f}), {runs}",
        )
    )
