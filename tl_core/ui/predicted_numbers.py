"""What the Result page shows of predicted numbers, in place of classes."""

import pandas as pd
import streamlit as st

from tl_core.result import Predictions
from tl_core.ui import formatting
from tl_core.ui.charts import numbers, outcome
from tl_core.ui.deciding_words import deciding_words
from tl_core.ui.downloads import download
from tl_core.ui.hardest_texts import hardest_texts


def predicted(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the predicted numbers against the true ones, and offer all of them as a file."""
    figure = numbers.predicted_against_true(said.labels, said.probabilities, names[0])
    formatting.chart(figure, f"predicted_{run_id}", "Predicted numbers against the true ones")
    st.caption("Each point is a test example. On the dotted line the prediction is exact; above it, too high.")
    download(
        lambda: pd.DataFrame({f"true {names[0]}": said.labels, f"predicted {names[0]}": said.probabilities}),
        f"predicted_{run_id}",
        "Download the numbers",
        "A CSV file with the true and the predicted number of each test example.",
    )


def residuals(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw by how much the predictions are off, over the true numbers."""
    figure = numbers.residuals(said.labels, said.probabilities, names[0])
    formatting.chart(figure, f"residuals_{run_id}", "Errors of the predicted numbers")
    st.caption(
        "Above 0 the prediction is too high. A slope downward says that large numbers are predicted too low and small ones too "
        "high, as models do that have learned little; a wedge, that some are harder than others."
    )


def hardest(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the test images whose number was missed by most."""
    true, found = said.labels[said.hardest], said.probabilities[said.hardest]
    if not len(said.hardest_pixels):
        about = f"The test texts whose {formatting.plain(names[0])} was missed by most, the hardest first: how each begins."
        hardest_texts(said, about, {"Is": true.tolist(), "Predicted": found.tolist()})
        deciding_words(said, run_id)
        return
    captions = [f"is {t:,.4g}\npredicted {p:,.4g}" for t, p in zip(true, found, strict=True)]
    pairs = zip(said.hardest_names, true, found, strict=True)
    hovers = [f"{name}: {names[0]} {t:,.6g}, predicted {p:,.6g}" for name, t, p in pairs]
    st.caption(f"The test images whose {formatting.plain(names[0])} was missed by most, with the true and the predicted number.")
    figure = outcome.image_grid(said.hardest_pixels, captions, hovers, columns=4)
    formatting.chart(figure, f"hardest_{run_id}", "Hardest test images")
