"""What the Result page shows of predicted labels, of which an example has several, in place of classes."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tl_core.analysis.metrics import per_label
from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import Interval
from tl_core.result import Predictions
from tl_core.ui import formatting
from tl_core.ui.charts import labels as charts
from tl_core.ui.charts import outcome
from tl_core.ui.downloads import download
from tl_core.ui.hardest_texts import hardest_texts

COLUMNS = {
    "label": "Label",
    "images": "Examples",
    "ap": "Average precision",
    "threshold": "Threshold",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
}
"""What is shown of `metrics.per_label`, in this order."""
MOST_ROWS = 100


def labels(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw a table with the threshold of each label and what it attains on the test examples, and offer it as a file."""
    thresholds = _thresholds(said)
    found = per_label(said.labels, said.probabilities, thresholds, names)
    table = found.copy()
    for name in ("precision", "recall"):
        table[name] = [_share(row, name) for row in found.to_dict("records")]
    table[["ap", "f1"]] *= 100
    shares = {name: st.column_config.NumberColumn(COLUMNS[name], format="%.0f %%") for name in ("ap", "f1")}
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height="content" if len(names) <= MOST_ROWS else "auto",
        column_order=tuple(COLUMNS),
        column_config=COLUMNS | shares | {"threshold": st.column_config.NumberColumn("Threshold", format="%.3f")},
        placeholder="\N{EN DASH}",
        alt="Precision and recall of each label",
    )
    fitted = "was chosen on the validation examples for the largest F1" if len(said.thresholds) else "is 1/2: nothing chose it"
    st.caption(
        f"A label is predicted from its threshold on, which {fitted}. Precision: the share of the examples said to have it "
        "that do. Recall: the share of the examples which have it that were found. Both have 95 % intervals. Average precision "
        "needs no threshold."
    )
    about = "A CSV file with these numbers as shares of 1, and the ends of the intervals in columns of their own."
    download(lambda: found, f"labels_{run_id}", "Download the numbers", about)


def precision_recall(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw precision over recall of the labels, with their thresholds."""
    figure = charts.precision_recall(said.labels, said.probabilities, _thresholds(said), names)
    formatting.chart(figure, f"precision_recall_{run_id}", "Precision over recall of each label")
    st.caption("Each curve goes through all thresholds on the test examples; the point is the one that was chosen before.")


def hardest(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the test examples whose labels got the least probability."""
    true, found = said.labels[said.hardest], (said.probabilities >= _thresholds(said))[said.hardest]
    has, predicted = ([_listed(row, names) for row in rows] for rows in (true, found))
    if not len(said.hardest_pixels):
        about = "The test texts whose labels got the least probability, the hardest first: how each begins."
        hardest_texts(said, about, {"Has": has, "Predicted": predicted})
        return
    captions = [f"has {t}\npredicted {p}" for t, p in zip(has, predicted, strict=True)]
    hovers = [f"{name}: has {t}; predicted {p}" for name, t, p in zip(said.hardest_names, has, predicted, strict=True)]
    st.caption("The test images whose labels got the least probability, each with those that it has and those predicted.")
    figure = outcome.image_grid(said.hardest_pixels, captions, hovers, columns=4)
    formatting.chart(figure, f"hardest_{run_id}", "Hardest test images")


def _thresholds(said: Predictions) -> NDArray[np.float64]:
    return said.thresholds if len(said.thresholds) else np.full(said.labels.shape[1], 0.5)


def _listed(has: NDArray[np.bool_], names: list[str]) -> str:
    return ", ".join(name for name, there in zip(names, has, strict=True) if there) or "none"


def _share(row: dict[Any, Any], name: str) -> str | None:
    """Return a share with its interval; None where there is nothing to take a share of."""
    if np.isnan(row[name]):
        return None
    return formatting.in_column(percent(row[name], Interval(row[f"{name}_low"], row[f"{name}_high"])))
