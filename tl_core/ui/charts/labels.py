"""How well each of several labels is told, at every threshold."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tl_core.ui.charts import theme

MOST_LABELS = 6
"""So many curves can be told apart; of more labels those that are ranked worst are drawn."""
HEIGHT = 420


def precision_recall(
    labels: NDArray[np.bool_], probabilities: NDArray[np.float32], thresholds: NDArray[np.float64], names: Sequence[str]
) -> go.Figure:
    """Draw precision over recall of each label, by `labels` and `probabilities` (n, labels), with a point at its threshold, of
    `thresholds` (labels,). Labels that no example has are left out."""
    from sklearn.metrics import average_precision_score, precision_recall_curve  # a second to import

    there = [label for label in np.flatnonzero(labels.any(axis=0)).tolist() if np.isfinite(probabilities[:, label]).all()]
    if not there:
        return theme.empty("Precision and recall of each label", "No test example has a label.")
    ranked = {label: float(average_precision_score(labels[:, label], probabilities[:, label])) for label in there}
    shown = sorted(sorted(ranked, key=lambda label: ranked[label])[:MOST_LABELS])
    which = "each label" if len(shown) == len(names) else f"the {len(shown)} labels ranked worst"
    drawn = theme.figure(f"Precision and recall of {which}", HEIGHT, legend=True)
    for label, colour in zip(shown, theme.RUNS, strict=False):
        true, said, name = labels[:, label], probabilities[:, label], theme.plain(names[label])
        precision, recall, _ = precision_recall_curve(true, said)
        some = np.unique(np.linspace(0, len(recall) - 1, min(len(recall), theme.MOST_POINTS)).astype(np.intp))
        hover = "<b>%{fullData.name}</b><br>recall %{x:.0%}<br>precision %{y:.0%}<extra></extra>"
        line = {"color": colour, "width": 2, "shape": "hv"}
        drawn.add_scatter(x=recall[some], y=precision[some], mode="lines", name=name, line=line, hovertemplate=hover)
        taken = said >= thresholds[label]
        if taken.any():
            at = {"x": [true[taken].sum() / true.sum()], "y": [true[taken].mean()]}
            marker = {"color": colour, "size": 11, "line": {"color": "white", "width": 1.5}}
            about = hover.replace("</b>", f"</b>, from {thresholds[label]:.2f} on", 1)
            drawn.add_scatter(**at, mode="markers", name=name, marker=marker, showlegend=False, hovertemplate=about)
    drawn.update_xaxes(range=[-0.02, 1.02], tickformat=".0%", showgrid=True)
    drawn.update_yaxes(range=[-0.02, 1.04], tickformat=".0%")
    return theme.axes(drawn, "Recall", "Precision")
