"""How fast a network is in each precision."""

import plotly.graph_objects as go

from tl_core.precision import Precision, Speeds
from tl_core.ui.charts import theme

TITLE = "Speed against float32"
ROW = 46


def speed_chart(speeds: Speeds) -> go.Figure:
    """Draw two bars for each precision that was measured: the speed of a forward pass and of a training step, as multiples of
    that in float32; longer is faster."""
    plain = speeds.speeds.get(Precision.FLOAT32)
    if plain is None:
        return theme.empty(TITLE, "Waiting for the first measurement")
    drawn = theme.figure(TITLE, 100 + ROW * len(speeds.speeds), legend=True)
    names = [precision.value for precision in speeds.speeds]
    kinds = (
        ("Forward", theme.FROZEN, plain.forward_seconds, [speed.forward_seconds for speed in speeds.speeds.values()]),
        ("Training", theme.TRAINING, plain.step_seconds, [speed.step_seconds for speed in speeds.speeds.values()]),
    )
    for name, colour, usual, seconds in kinds:
        times = [usual / each for each in seconds]
        drawn.add_bar(
            y=names,
            x=times,
            orientation="h",
            name=name,
            marker={"color": colour},
            text=[f"{each:.2g} x" for each in times],
            textposition="outside",
            cliponaxis=False,
            customdata=[1000 * each for each in seconds],
            hovertemplate="%{y}: %{customdata:.0f} ms a batch<extra>" + name + "</extra>",
        )
    drawn.add_vline(1, line={"color": theme.NEUTRAL, "dash": "dot", "width": 1})
    drawn.update_xaxes(rangemode="tozero", title={"text": "Times as fast as float32", "standoff": 4})
    drawn.update_yaxes(autorange="reversed")
    return drawn
