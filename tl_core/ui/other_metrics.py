"""What the Result page says of a run beside its accuracy."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import Interval
from tl_core.metrics import MetricValue, measure, metrics
from tl_core.metrics.balanced_accuracy import BalancedAccuracy
from tl_core.result import Predictions
from tl_core.runs import score
from tl_core.runs.store import Run
from tl_core.ui import formatting, session

UNEVEN = 2.0
"""How many times as many test images the largest class has as the smallest, from where on accuracy hides the small ones."""


def measured(run: Run) -> Sequence[MetricValue]:
    """Return the metrics of a finished run: as they were stored, or of runs of before from its predictions."""
    return run.metrics or _from_predictions(run.id)


@st.cache_resource(show_spinner="Computing the other metrics of this run, once.", max_entries=64)
def _from_predictions(run_id: str) -> Sequence[MetricValue]:
    said = session.predictions(run_id)
    return measure(said.labels, said.probabilities)


def is_uneven(said: Predictions) -> bool:
    """Return whether the largest class has more than `UNEVEN` times as many test images as the smallest."""
    sizes = _sizes(said)
    return bool(sizes.max() > UNEVEN * sizes.min())


def hidden_classes(run: Run, said: Predictions) -> None:
    """Draw the sentence that accuracy hides the small classes, with the balanced accuracy beside it."""
    sizes = _sizes(said)
    balanced = next((text_of(value) for value in measured(run) if value.name == BalancedAccuracy.name), "")
    st.info(
        f"The largest class has {sizes.max():,} test images and the smallest {sizes.min():,}: accuracy hides how the small ones "
        f"are classified. Balanced accuracy, in which each class counts as much: {formatting.unbroken(balanced)}.",
        icon=":material/balance:",
    )


def other_metrics(run: Run) -> None:
    """Draw a table of all metrics with their 95 % intervals, each explained in a sentence."""
    known = metrics.parts()
    rows = [
        {
            "Metric": known[value.name].title if value.name in known else formatting.plain(value.name),
            "Value": formatting.unbroken(text_of(value)),
            "Better": str(value.better),
            "What it is": known[value.name].summary() if value.name in known else "",
        }
        for value in measured(run)
    ]
    st.table(pd.DataFrame(rows).set_index("Metric"))  # whose sentences are not cut off
    st.caption("Of the test images, with 95 % intervals where there are any.")


def text_of(found: MetricValue) -> str:
    """Return a value with its interval: "85 % (82-88)" of a share, "0.573 (0.512-0.634)" of another number."""
    if np.isnan(found.value):
        return "not defined"
    if found.name in metrics.parts() and metrics.part(found.name).in_unit:
        return score.text_of(found)
    is_share = found.name in metrics.parts() and metrics.part(found.name).percent
    if found.low is None or found.high is None:
        return f"{100 * found.value:.1f} %" if is_share else f"{found.value:.3f}"
    if is_share:
        return percent(found.value, Interval(found.low, found.high))
    return f"{found.value:.3f} ({found.low:.3f}\N{EN DASH}{found.high:.3f})"


def _sizes(said: Predictions) -> NDArray[np.int64]:
    return np.bincount(said.labels, minlength=said.probabilities.shape[1])
