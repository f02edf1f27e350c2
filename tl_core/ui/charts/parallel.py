"""Runs as lines through their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tl_core.metrics import Metric
from tl_core.spec import to_text
from tl_core.ui.charts import theme

MOST_RUNS, MOST_SETTINGS, MOST_TEXTS = 500, 8, 12
"""So many lines and settings are drawn, and so many texts written on an axis."""
LETTERS = 18
"""Of a setting's name or a value."""


def parallel_coordinates(settings: Mapping[str, Sequence[Any]], reached: Sequence[float], metric: Metric) -> go.Figure:
    """Draw each run as a line through its `settings`, by whose titles there is a value a run, to what it `reached` of a metric
    (shares in %)."""
    title = f"{metric.full_title} by settings"
    if not settings or not reached:
        return theme.empty(title, "Runs that differ in their settings will be here.")
    left_out = [text for text, all_of_them, most in _counts(settings, reached) if all_of_them > most]
    if left_out:
        title = f"{metric.full_title} of {' and '.join(left_out)}"
    scale = 100 if metric.percent else 1
    values = [scale * value for value in reached[:MOST_RUNS]]
    drawn = theme.figure(title, 380)
    shown = list(settings.items())[:MOST_SETTINGS]
    last = {"label": f"Test {metric.in_sentence}{' (%)' if metric.percent else ''}", "values": values}
    drawn.add_parcoords(
        dimensions=[*(_dimension(theme.plain(name, LETTERS), given[:MOST_RUNS]) for name, given in shown), last],
        line={"color": values, "colorscale": theme.SCALE},
        labelside="bottom",
    )
    drawn.update_layout(margin={"l": 60, "r": 60, "t": 60, "b": 50})
    return drawn


def _counts(settings: Mapping[str, Sequence[Any]], reached: Sequence[float]) -> Sequence[tuple[str, int, int]]:
    return (
        (f"{MOST_RUNS} of {len(reached):,} runs", len(reached), MOST_RUNS),
        (f"{MOST_SETTINGS} of {len(settings)} settings", len(settings), MOST_SETTINGS),
    )


def _dimension(label: str, given: Sequence[Any]) -> dict[str, Any]:
    """Return an axis of numbers, ticked where there is one while these are few, or of texts in the order in which they come."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        numbers = sorted(set(given))
        return {"label": label, "values": list(given)} | ({"tickvals": numbers} if len(numbers) <= MOST_TEXTS else {})
    texts = dict.fromkeys(map(to_text, given))
    places = {text: place for place, text in enumerate(texts)}
    ticks = theme.thin(list(places.items()), MOST_TEXTS)
    return {
        "label": label,
        "values": [places[to_text(value)] for value in given],
        "tickvals": [place for _, place in ticks],
        "ticktext": [theme.plain(text, LETTERS) for text, _ in ticks],
    }
