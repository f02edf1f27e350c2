"""How a run learns."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from tl_core.metrics import Metric
from tl_core.metrics.accuracy import Accuracy
from tl_core.runs.store import StoredEvent
from tl_core.tasks import Task
from tl_core.tasks.classification import Classification
from tl_core.ui.charts import theme

HEIGHT = 348
"""Pixels."""
FEW = 40
"""Below so many points a line alone hides how many there are: markers are shown."""
NARROWEST = 0.14
"""The least part of a run whose phase has room for its name."""
PANEL_LETTERS = 24
"""So many letters of a phase's name are as wide as a panel is on a telephone."""
MOST_SHADES = 250
"""A phase that is a smaller part of the run than one of so many cannot be seen as one."""

SIDES = ("", "2")
"""What Plotly's names of the two panels' axes end in."""


class Measure(NamedTuple):
    """One of the two quantities: the name of its field, what it is called, its unit, what a value is multiplied by, how it is
    written, and whether it is told of validation images alone."""

    field: str
    title: str
    unit: str
    scale: float
    written: str
    held_out: bool = False

    @property
    def with_unit(self) -> str:
        """Return what an axis of it is called."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


class Curve(NamedTuple):
    """The look of one kind of curve."""

    name: str
    colour: str
    width: float
    opacity: float = 1.0
    validation: bool = False


EACH_BATCH = Curve("Each batch", theme.TRAINING, width=1, opacity=0.4)
TRAINING = Curve("Training", theme.TRAINING, width=1.8)
VALIDATION = Curve("Validation", theme.CHOSEN, width=3.2, validation=True)
ACCURACY = Measure("accuracy", "Accuracy", "%", 100.0, ".1f")
AXIS_LETTERS = 40
"""So many letters are as long as an axis is high."""


def measures_of(
    task: type[Task], metric: Metric, plans: Sequence[StoredEvent] = (), epochs: Sequence[StoredEvent] = ()
) -> tuple[Measure, ...]:
    """Return what a run reports: its loss, and what its validation images say of the `metric` that decides; the accuracy where
    that decides, or where the metric is told of no images, as in runs of before. `plans` and `epochs` are the run's events."""
    loss = Measure("loss", task.loss_title, task.loss_unit, 1.0, ".3f")
    is_told = any("validation_metric" in event.data for event in epochs) or not epochs
    if metric != Accuracy() and plans and plans[-1].data["validation_images"] and is_told:
        title = theme.plain(metric.full_title, AXIS_LETTERS)
        unit, scale, written = ("%", 100.0, ".1f") if metric.percent else ("", 1.0, ",.4g" if metric.in_unit else ".3f")
        return loss, Measure("metric", title, unit, scale, written, held_out=True)
    return loss, *((ACCURACY,) if task.has_accuracy else ())


def computed(
    plans: Sequence[StoredEvent], steps: Sequence[StoredEvent], epochs: Sequence[StoredEvent], measures: Sequence[Measure]
) -> str:
    """Return the points of the curves of `measures`, in a sentence, of a run whose head was computed and nothing else trained;
    empty for other runs. The events are the run's `plan`, `step` and `epoch` ones."""
    if not plans or len(plans[-1].data["phases"]) > 1 or steps or len(epochs) != 1:
        return ""
    told = "; ".join(filter(None, (_said(measure, epochs[0].data) for measure in measures)))
    return f"The head was computed at once, so there is no curve to draw. {told}."


def _said(measure: Measure, told: Mapping[str, Any]) -> str:
    """Return what is `told` of a measure in words, for each split; empty where nothing is."""
    splits = {"training": measure.field, "validation": f"validation_{measure.field}"}
    words = [
        f"{told[field] * measure.scale:{measure.written}} {measure.unit}".strip() + f" ({split})"
        for split, field in splits.items()
        if told.get(field) is not None
    ]
    return f"{measure.title} {', '.join(words)}" if words else ""


def learning_curves(
    steps: Sequence[StoredEvent],
    epochs: Sequence[StoredEvent],
    run_id: str,
    measures: Sequence[Measure] = measures_of(Classification, Accuracy()),
) -> go.Figure:
    """Draw the `measures` of a run's task, such as loss (nats) and accuracy (%), over its steps, from the run's `step` and
    `epoch` events in order.

    Batches are thin and light, epochs of training thin, validation thick. Phases are shaded in turn: an event does not say what a
    phase freezes, so its shade does not either. `customdata` is (run id, phase, epoch).
    """
    if not steps and not epochs:
        return theme.empty("Learning curves", "Waiting for the first batch", height=HEIGHT)
    validated = [event for event in epochs if event.data["validation_loss"] is not None]
    kinds = (EACH_BATCH, theme.thin(steps)), (TRAINING, theme.thin(epochs)), (VALIDATION, theme.thin(validated))
    sides = SIDES[: len(measures)]
    axes = theme.panels(1, len(measures), horizontal_spacing=0.16)
    shown = list(zip(sides, measures, strict=True))
    data = [
        _curve(events, measure, side, curve, run_id)
        for side, measure in shown
        for curve, events in kinds
        if events and (curve.validation or not measure.held_out)
    ]
    for side, measure in shown:
        # No range of our own: Plotly keeps a reader's zoom only against ends that it chose by itself.
        axes[f"xaxis{side}"] |= {"title": {"text": "Step (batches so far)", "standoff": 6}, "nticks": 4, "rangemode": "tozero"}
        axes[f"xaxis{side}"]["matches"] = "x"  # one zoom for both
        axes[f"yaxis{side}"]["title"] = {"text": measure.with_unit, "standoff": 6}
    axes["yaxis"]["rangemode"] = "tozero"
    layout = theme.layout("Learning curves", HEIGHT, legend=True) | axes | _shades(_phases([*steps, *epochs]), sides)
    # Between the legend and the curves there is room for two lines of phases' names.
    layout["margin"]["t"] = 94
    return go.Figure({"data": data, "layout": layout | {"uirevision": run_id}})


def _curve(events: Sequence[StoredEvent], measure: Measure, side: str, curve: Curve, run_id: str) -> dict[str, Any]:
    """Return the trace of one curve.

    Args:
        events: Those that it goes through.
        measure: What is drawn of them.
        side: What the names of its panel's axes end in.
        curve: How it looks.
        run_id: The run's.
    """
    field = f"validation_{measure.field}" if curve.validation else measure.field
    return {
        "type": "scatter",
        "x": [event.data["step"] for event in events],
        "y": [theme.number(event.data.get(field), measure.scale) for event in events],
        # As an array: Plotly looks at every cell of a list of lists.
        "customdata": np.array([(run_id, theme.plain(each.data["phase"]), each.data["epoch"]) for each in events], dtype=object),
        "name": curve.name,
        "legendgroup": curve.name,
        "showlegend": not side,
        "mode": "lines+markers" if len(events) < FEW and curve.opacity == 1 else "lines",
        "line": {"color": curve.colour, "width": curve.width},
        "marker": {"size": curve.width + 2.5},
        "opacity": curve.opacity,
        "hovertemplate": f"<b>{curve.name}</b><br>%{{customdata[1]}}, epoch %{{customdata[2]}}, step %{{x:,}}<br>"
        f"{measure.title} %{{y:{measure.written}}} {measure.unit}<extra></extra>",
        "xaxis": f"x{side}",
        "yaxis": f"y{side}",
    }


def _phases(events: Sequence[StoredEvent]) -> list[tuple[str, int, int]]:
    """Return (name, first step, last step) of each phase in order. A phase begins where the one before it ended."""
    ordered = sorted(events, key=lambda event: event.data["step"])
    found: list[tuple[str, int, int]] = []
    for name, group in groupby(ordered, key=lambda event: str(event.data["phase"])):
        found.append((name, found[-1][2] if found else 0, max(event.data["step"] for event in group)))
    return found


def _shades(phases: Sequence[tuple[str, int, int]], sides: Sequence[str]) -> dict[str, Any]:
    """Return a grey ground under every second phase, and above the curves the names of the phases that are wide enough."""
    total = max(phases[-1][2], 1)
    wide = [phase for phase in phases if phase[2] - phase[1] > NARROWEST * total]
    seen = [(start, end) for _, start, end in phases[1::2] if (end - start) * MOST_SHADES >= total]
    return {
        "shapes": [_shade(side, start, end) for start, end in seen for side in sides],
        "annotations": [_name(side, phase, total, index % 2) for index, phase in enumerate(wide) for side in sides],
    }


def _shade(axis: str, start: int, end: int) -> dict[str, Any]:
    ends = {"xref": f"x{axis}", "yref": f"y{axis} domain", "x0": start, "x1": end, "y0": 0, "y1": 1}
    return {"type": "rect", **ends, "fillcolor": theme.SHADE, "line": {"width": 0}, "layer": "below"}


def _name(axis: str, phase: tuple[str, int, int], total: int, level: int) -> dict[str, Any]:
    """Return a phase's name on one of two levels in turn, so that neighbours do not collide. It grows inward from the nearer
    edge, and goes beyond its phase by half of the narrowest one at most."""
    name, start, end = phase
    room = int(((end - start) / total + NARROWEST / 2) * PANEL_LETTERS)
    late = start > total / 2
    return {
        "text": theme.plain(name, min(16, room)),
        "xref": f"x{axis}",
        "yref": f"y{axis} domain",
        "x": end if late else start,
        "xanchor": "right" if late else "left",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 13 * level,
        "showarrow": False,
        "font": {"size": 11},
    }
