"""What runs use of the machine: over time, and beside each other."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tl_core.analysis.statements import seconds, size
from tl_core.analysis.usage import Usage, attempts, energy, gpus_of
from tl_core.runs.store import StoredEvent
from tl_core.ui.charts import theme

TITLE = "Machine use of this run"
BARS_TITLE = "Machine use of the runs"
ROW_PIXELS = 78
LEGEND_PIXELS, NARROW_LEGEND = 20, 4
"""The height of a line of the legend, and how many names stand in one on a telephone."""
MOVED = 1e6
"""Bytes a second of the disk from which on it has a row."""
MOST_RUNS = 20
"""Of more runs than this the bars are left out."""


class Quantity(NamedTuple):
    """A row: the field, its title with the unit, what one reads when pointing at it, what a value is multiplied by, and whether
    it is a share, in percent."""

    field: str
    title: str
    hover: str
    scale: float = 1.0
    percent: bool = False


CPU = Quantity("cpu_share", "CPU (%)", "%{y:.0f} % of the machine", percent=True)
MEMORY = Quantity("memory_bytes", "Mem. (GB)", "%{y:.2f} GB of memory", 1e-9)
DISK = Quantity("disk_rate", "Disk (MB/s)", "%{y:.1f} MB/s read and written", 1e-6)
OF_GPUS = (
    Quantity("percent", "GPU (%)", "%{y:.0f} % busy", percent=True),
    Quantity("memory_bytes", "GPU (GB)", "%{y:.2f} GB of its memory", 1e-9),
    Quantity("watts", "GPU (W)", "%{y:.0f} W"),
    Quantity("celsius", "GPU (°C)", "%{y:.0f} °C"),
)


class Line(NamedTuple):
    """A curve: whose it is, what that is called in full, its values, and its look; one of several is in the legend."""

    name: str
    model: str
    values: list[float | None]
    look: dict[str, Any]
    one_of_several: bool = False


Row = tuple[Quantity, list[Line]]
Point = tuple[float, Mapping[str, Any]]
"""The time of a sample (seconds since 1970) and its fields; no fields in a gap."""


def telemetry(events: Sequence[StoredEvent], started: float, cores: int) -> go.Figure:
    """Draw what a run used of the machine since `started` (seconds since 1970): processor in percent of all its cores, which are
    `cores` where early samples do not tell, memory in GB (10^9 bytes), the disk where it was busy, and of each GPU what is
    measured. Each has a row on one time axis. While a run was paused time stands still, and the line breaks."""
    points = _points(events, cores)
    rows = [*_run_rows(points), *_gpu_rows(points)]
    if not rows:
        return theme.empty(TITLE, "Waiting for the first sample", height=120)
    scale, unit = _clock(points[-1][0] - started)
    without_pauses = ", pauses left out" if any(not data for _, data in points) else ""
    times = [(at - started) / scale for at, _ in points]
    axes = theme.panels(len(rows), 1, shared_xaxes=True, vertical_spacing=0.2 / len(rows))
    sides = ["", *map(str, range(2, len(rows) + 1))]
    data, legend = list[dict[str, Any]](), set[str]()
    for side, (quantity, lines) in zip(sides, rows, strict=True):
        for line in lines:
            first = line.one_of_several and line.name not in legend
            legend |= {line.name} if first else set()
            place = {"showlegend": first, "xaxis": f"x{side}", "yaxis": f"y{side}"}
            data.append(_curve(times, quantity, line, unit.lower()) | place)
        ends = {"range": [0, 105], "tickvals": [0, 50, 100]} if quantity.percent else {"rangemode": "tozero", "nticks": 3}
        axes[f"yaxis{side}"] |= {"title": {"text": quantity.title, "standoff": 6, "font": {"size": 11}}, **ends}
    axes[f"xaxis{sides[-1]}"]["title"] = {"text": f"{unit} since the start{without_pauses}", "standoff": 6}
    above = 44 + LEGEND_PIXELS * -(-len(legend) // NARROW_LEGEND)
    layout = theme.layout(TITLE, ROW_PIXELS * len(rows) + 52 + above, legend=bool(legend)) | axes
    layout["margin"]["t"] = above
    return go.Figure({"data": data, "layout": layout | {"uirevision": str(started)}})


def _curve(times: Sequence[float], quantity: Quantity, line: Line, unit: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": times,
        "y": line.values,
        "mode": "lines+markers" if len(times) < 3 else "lines",
        "name": line.name,
        "meta": line.model,
        "legendgroup": line.name,
        "line": line.look,
        "hovertemplate": f"<b>%{{meta}}</b><br>{quantity.hover}<br>%{{x:.4~g}} {unit} after the start<extra></extra>",
    }


def _points(events: Sequence[StoredEvent], cores: int) -> list[Point]:
    """Return at most 500 points, with one without values between two attempts, which follow each other as if nobody had paused. A
    point has the processor's percent of all cores, and the bytes a second that the disk moved since the point before."""
    tries = attempts(events)
    kept = theme.thin(events, max(2, theme.MOST_POINTS - len(tries) + 1))
    found: list[Point] = []
    paused = 0.0
    for group in attempts(kept):
        if found:
            found.append((found[-1][0], {}))
            paused = (group[0].data.get("since") or group[0].at) - found[-1][0]
        rates = [None, *(_disk_rate(one, other) for one, other in pairwise(group))]
        for event, rate in zip(group, rates, strict=True):
            share = theme.number(event.data.get("cpu_percent"), 1 / (event.data.get("cores") or cores))
            found.append((event.at - paused, {**event.data, "cpu_share": share, "disk_rate": rate}))
    return found


def _disk_rate(one: Any, other: Any) -> float | None:
    """Return the bytes a second that the disk moved between two samples of an attempt, or None where that is unknown."""
    before, after = (_moved(event.data) for event in (one, other))
    if before is None or after is None or other.at <= one.at:
        return None
    return (after - before) / (other.at - one.at)


def _moved(data: Mapping[str, Any]) -> int | None:
    read, written = data.get("disk_read_bytes"), data.get("disk_written_bytes")
    return None if read is None or written is None else read + written


def _run_rows(points: Sequence[Point]) -> list[Row]:
    """Return a row for each quantity that any sample has of the run itself; the disk only where it was busy."""
    found: list[Row] = []
    for quantity, colour in ((CPU, theme.CHOSEN), (MEMORY, theme.PURPLE), (DISK, theme.NEUTRAL)):
        values = [theme.number(data.get(quantity.field), quantity.scale) for _, data in points]
        known = [value for value in values if value is not None]
        if known and (quantity is not DISK or max(known) >= MOVED * DISK.scale):
            found.append((quantity, [Line("This run", "This run", values, {"color": colour, "width": 1.6})]))
    return found


def _gpu_rows(points: Sequence[Point]) -> list[Row]:
    """Return a row for each quantity that any sample has of any GPU, in it a line for each GPU."""
    uuids = list(dict.fromkeys(gpu["uuid"] for _, data in points for gpu in gpus_of(data)))
    found: list[Row] = []
    for quantity in OF_GPUS:
        lines = [_gpu_line(points, quantity, uuid, place, several=len(uuids) > 1) for place, uuid in enumerate(uuids)]
        measured = [line for line in lines if any(value is not None for value in line.values)]
        found += [(quantity, measured)] if measured else []
    return found


def _gpu_line(points: Sequence[Point], quantity: Quantity, uuid: str, place: int, *, several: bool) -> Line:
    own = [next((gpu for gpu in gpus_of(data) if gpu["uuid"] == uuid), {}) for _, data in points]
    name = theme.plain(next(gpu["name"] for gpu in own if gpu), 28)
    values = [theme.number(gpu.get(quantity.field), quantity.scale) for gpu in own]
    if not several:
        return Line(name, name, values, {"color": theme.GREEN, "width": 1.6})
    colour, dash = theme.RUNS[place % len(theme.RUNS)], theme.DASHES[place % len(theme.DASHES)]
    number = f"GPU {place + 1}"
    return Line(number, f"{number}: {name}", values, {"color": colour, "dash": dash, "width": 1.6}, one_of_several=True)


def _clock(span: float) -> tuple[float, str]:
    """Return the seconds in a unit of time that suits `span` seconds, and the unit's name."""
    return (1.0, "Seconds") if span < 600 else (60.0, "Minutes") if span < 36_000 else (3600.0, "Hours")


COLUMNS: tuple[tuple[str, Callable[[Usage], float | None], Callable[[float | None], str]], ...] = (
    ("GPU energy", lambda used: used.gpu_energy_joules, energy),
    ("CPU time", lambda used: used.cpu_seconds, lambda value: "not measured" if value is None else seconds(value)),
    ("Most memory", lambda used: used.peak_memory_bytes, lambda value: "not measured" if value is None else size(value)),
)
"""What is compared: its title, where it stands, and how it is said."""


def usage_bars(runs: Sequence[tuple[str, Usage]]) -> go.Figure:
    """Draw what runs used, each as (title, use): GPU energy, CPU time and most memory as bars side by side, the run's title above
    its three. What was not measured says so in the place of its bar."""
    if not runs:
        return theme.empty(BARS_TITLE, "Runs that have been measured will be here.")
    shown, left_out = runs[:MOST_RUNS], len(runs) - MOST_RUNS
    drawn = make_subplots(rows=1, cols=len(COLUMNS), shared_yaxes=True, horizontal_spacing=0.02)
    for column, (title, value_of, said) in enumerate(COLUMNS, start=1):
        values = [value_of(used) for _, used in shown]
        drawn.add_bar(
            x=[value or 0 for value in values],
            y=list(range(len(shown))),
            orientation="h",
            width=0.34,
            marker={"color": theme.NEUTRAL},
            text=[f"\N{NO-BREAK SPACE}{said(value)}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[theme.plain(name, 60) for name, _ in shown],
            hovertemplate=f"<b>%{{customdata}}</b><br>{title}:%{{text}}<extra></extra>",
            row=1,
            col=column,
        )
        # The numbers stand beside their bars, for which most of the place is kept.
        longest = max((value for value in values if value), default=1)
        drawn.update_xaxes(title={"text": title, "standoff": 6}, side="top", range=[0, 2.8 * longest], col=column)
    drawn.update_xaxes(showticklabels=False, showgrid=False)
    drawn.update_yaxes(visible=False, range=[len(shown) - 0.6, -0.8])
    theme.dress(drawn, BARS_TITLE + (f"; {left_out} not shown" if left_out > 0 else ""), 46 * len(shown) + 100)
    drawn.update_layout(margin={"t": 72}, annotations=[_title_above(place, name) for place, (name, _) in enumerate(shown)])
    return drawn


def _title_above(place: int, name: str) -> dict[str, Any]:
    at = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "y", "y": place - 0.2, "yanchor": "bottom"}
    return {"text": theme.plain(name, 48), "showarrow": False, **at}
