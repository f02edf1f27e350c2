"""What the Result page says of a run beside its accuracy."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from tl_core.analysis import statements
from tl_core.metrics import MetricValue, measure, metric_of, metrics
from tl_core.metrics.balanced_accuracy import BalancedAccuracy
from tl_core.recipe import things_of
from tl_core.result import Predictions, Result
from tl_core.runs import compared
from tl_core.runs.store import Run
from tl_core.ui import formatting, session

Sizes = NDArray[np.int64]
UNEVEN = 2.0
"""How many times as many images the largest class has as the smallest, from where on accuracy hides the small ones."""


def measured(run: Run) -> Sequence[MetricValue]:
    """Return the metrics of a finished run: as they were stored, or of runs of before from its predictions."""
    return run.metrics or _from_predictions(run.id)


@st.cache_resource(show_spinner="Computing the other metrics of this run, once.", max_entries=64)
def _from_predictions(run_id: str) -> Sequence[MetricValue]:
    said = session.predictions(run_id)
    return measure(said.labels, said.probabilities)


def uneven_split(said: Predictions, result: Result) -> tuple[str, Sizes] | None:
    """Return a split in which the largest class has more than `UNEVEN` times as many images as the smallest, with the sizes of
    its classes: the test where it is so, or else the training images, where they are known; None where both are even."""
    test = np.bincount(said.labels, minlength=said.probabilities.shape[1])
    splits = {"test": test, "training": np.array(result.train_sizes or (1,))}
    return next(((name, sizes) for name, sizes in splits.items() if sizes.max() > UNEVEN * sizes.min()), None)


def hidden_classes(run: Run, split: str, sizes: Sizes) -> None:
    """Draw the sentence that accuracy hides the small classes of a split, with the balanced accuracy beside it."""
    balanced = next((text_of(value) for value in measured(run) if value.name == BalancedAccuracy.name), "")
    hides = "accuracy hides how the small ones are classified" if split == "test" else "the small ones may be neglected"
    st.info(
        f"The largest class has {sizes.max():,} {split} {things_of(run.spec)} and the smallest {sizes.min():,}: {hides}. "
        f"Balanced accuracy, in which each class counts as much: {formatting.unbroken(balanced)}.",
        icon=":material/balance:",
    )


def other_metrics(run: Run) -> None:
    """Draw a table of all metrics with their 95 % intervals, each explained in a sentence."""
    known = metrics.parts()
    rows = [
        {
            "Metric": metric_of(value).full_title if value.name in known else formatting.plain(value.name),
            "Value": formatting.unbroken(text_of(value)),
            "Better": str(value.better),
            "What it is": known[value.name].summary() if value.name in known else "",
        }
        for value in measured(run)
    ]
    st.table(pd.DataFrame(rows).set_index("Metric"))  # whose sentences are not cut off
    st.caption(f"Of the test {things_of(run.spec)}, with 95 % intervals where there are any.")


def text_of(found: MetricValue) -> str:
    """Return a value with its interval: "85 % (82-88)" of a share, "0.573 (0.512-0.634)" of another number."""
    known = metrics.parts().get(found.name)
    is_share, in_unit = (known.percent, known.in_unit) if known else (False, False)
    return statements.measured(found.value, compared.ends_of(found), is_share=is_share, in_unit=in_unit)
