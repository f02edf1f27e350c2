"""What was taken for what: the confusion matrix of the Result page, and all of it as a file."""

import numpy as np
import streamlit as st

from tl_core.analysis import metrics
from tl_core.result import Predictions
from tl_core.ui import formatting
from tl_core.ui.charts import outcome
from tl_core.ui.downloads import download

FEW = 40
"""Where not all classes can be drawn, so many are: as many as have names that can be read."""


def confusion(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the confusion matrix, of very many classes those that are confused most, and offer all of it as a file."""
    predicted = said.probabilities.argmax(axis=1)
    most = len(names) if len(names) <= outcome.MOST_CLASSES else FEW
    drawn = metrics.most_confused(said.labels, predicted, len(names), most)
    if most < len(names):
        st.caption("Only the classes with the most frequent mistakes are drawn. The file has all of them.")
    figure = outcome.confusion(
        metrics.confusion_matrix(said.labels, predicted, drawn),
        [names[index] for index in drawn],
        images=np.bincount(said.labels, minlength=len(names))[drawn],
        classes=len(names),
    )
    formatting.chart(figure, f"confusion_{run_id}", "Confusion matrix of the test examples")
    download(
        lambda: metrics.confusion_table(said.labels, predicted, names),
        f"confusion_{run_id}",
        "Download the whole table",
        "A CSV file with every pair of true and predicted class, the most frequent first.",
    )
