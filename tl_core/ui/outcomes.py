"""What the Result page says: the sentence, and the evidence."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from tl_core.analysis import metrics
from tl_core.analysis.statements import percent, seconds
from tl_core.analysis.statistics import Interval
from tl_core.recipe import things_of
from tl_core.result import Predictions, Result
from tl_core.runs import compared
from tl_core.runs.score import task_of
from tl_core.runs.store import Run
from tl_core.tasks import Panel
from tl_core.ui import confusion, decisions, formatting, other_metrics, predicted_labels, predicted_numbers, session
from tl_core.ui.charts import curves, outcome
from tl_core.ui.deciding_words import deciding_words
from tl_core.ui.downloads import download
from tl_core.ui.estimate_check import expected
from tl_core.ui.hardest_texts import hardest_texts
from tl_core.ui.proof import proof
from tl_core.ui.run_settings import settings
from tl_core.ui.take_away import take_away

CLASS_COLUMNS = ("class", "images", "precision", "recall", "f1", "most often taken for")
"""What is shown of `metrics.per_class`, in this order."""


def sentence(run: Run, result: Result) -> None:
    """Draw the first thing that is said of a run: the metric that decides it, time, warnings and counts."""
    took, things = formatting.unbroken(seconds(result.seconds)), things_of(run.spec)
    by_accuracy = compared.deciding(run) == compared.ACCURACY
    if by_accuracy:
        good = formatting.unbroken(formatting.accuracy_of(run))
        st.markdown(f"### {good} of {result.test_images:,} test {things} right, in {took}")
    else:
        decisions.headline(run, result, took)
    for warning in compared.warnings(run, result):
        st.warning(formatting.plain(warning), icon=":material/trending_down:")
    trained, total = result.trainable_parameters, result.total_parameters
    st.caption(
        f"The range in brackets is the 95 % interval{' (Wilson)' if by_accuracy else ''}. "
        f"{result.train_images:,} training and {result.validation_images:,} validation {things}. "
        f"{trained:,} of {total:,} parameters trained."
    )
    if result.resumed:
        each_time = " each time" if result.resumed > 1 else ""
        st.caption(
            f"The run was interrupted {formatting.times(result.resumed)} and continued from its last checkpoint{each_time}. "
            "The time is that of all its attempts."
        )


def evidence(run: Run, result: Result) -> None:
    """Draw mistakes, numbers, curves, time, proof and settings, in tabs; the classes first where they are uneven."""
    said = session.predictions(run.id)
    names, task = list(result.class_names), task_of(run)
    draws: dict[str, Callable[[], None]] = {
        PANELS[panel].title.format(things_of(run.spec)): partial(PANELS[panel].draw, said, names, run.id) for panel in task.panels
    } | {
        "Other metrics": lambda: other_metrics.other_metrics(run),
        "Curves": lambda: _curves(run),
        "Time": lambda: _time(run, result),
        "Proof": lambda: proof(result, task.loss_unit, things_of(run.spec)),
        "Settings": lambda: settings(run.spec, result),
        "Take it with you": lambda: take_away(run, result),
    }
    by_class = PANELS[Panel.CLASSES].title
    if by_class in draws and (uneven := other_metrics.uneven_split(said, result)):
        other_metrics.hidden_classes(run, *uneven)
        draws = {by_class: draws[by_class]} | draws
    for tab, draw in zip(st.tabs(list(draws)), draws.values(), strict=True):
        with tab:
            draw()


def _time(run: Run, result: Result) -> None:
    expected(run, result)
    formatting.chart(outcome.seconds_bar(result.timings, run.waited), f"time_{run.id}", "Seconds of each part of the run")


def _curves(run: Run) -> None:
    steps, epochs = session.events(run, "step"), session.events(run, "epoch")
    measures = decisions.measures(run)
    computed = curves.computed(session.events(run, "plan"), steps, epochs, measures)
    if computed:
        st.caption(computed)
    else:
        drawn = curves.learning_curves(steps, epochs, run.id, measures)
        formatting.chart(drawn, f"result_curves_{run.id}", decisions.curves_alt(run))


def hardest(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the test examples whose true class got the lowest probability."""
    rows = said.probabilities[said.hardest]
    taken, sure, true = rows.argmax(axis=1), rows.max(axis=1), said.labels[said.hardest]
    if not len(said.hardest_pixels):
        about = (
            "The test texts whose true class got the lowest probability, the hardest first: how each begins, its true class, and "
            "the predicted one with its probability."
        )
        columns = {"Is": [names[t] for t in true], "Taken for": [names[t] for t in taken], "Probability": 100 * sure}
        hardest_texts(said, about, columns, Probability="%.0f %%")
        deciding_words(said, run_id)
        return
    captions = [f"is {names[t]}\n{100 * p:.0f} % {names[s]}" for t, s, p in zip(true, taken, sure, strict=True)]
    hovers = [f"{name}: {names[t]}, taken for {names[s]}" for name, t, s in zip(said.hardest_names, true, taken, strict=True)]
    st.caption(
        "The test images whose true class got the lowest probability, each with its true class and the predicted one with its "
        "probability."
    )
    figure = outcome.image_grid(said.hardest_pixels, captions, hovers, columns=4)
    formatting.chart(figure, f"hardest_{run_id}", "Hardest test images")


def classes(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw a table with precision, recall and F1 of each class, in percent."""
    numbers_apart = metrics.per_class(said.labels, said.probabilities, names)
    table = numbers_apart.copy()
    table["recall"] = [_recall(row) for row in table.itertuples()]
    table[["precision", "f1"]] *= 100
    titles = {name: "Examples" if name == "images" else name.capitalize() for name in CLASS_COLUMNS}
    numbers = {name: st.column_config.NumberColumn(titles[name], format="%.0f %%") for name in ("precision", "f1")}
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height="content" if len(names) <= outcome.MOST_CLASSES else "auto",
        column_order=CLASS_COLUMNS,
        column_config=titles | numbers,
        placeholder="\N{EN DASH}",
        alt="Precision and recall of each class",
    )
    st.caption(
        "Precision: the share of the examples classified as this class that belong to it. Recall: the share of this class's "
        "examples that were found, with its 95 % interval. F1: the harmonic mean of both."
    )
    about = "A CSV file with these numbers as shares of 1, the recall and the ends of its 95 % interval in columns of their own."
    download(lambda: numbers_apart, f"classes_{run_id}", "Download the numbers", about)


def _recall(row: Any) -> str | None:
    """Return the recall of a class with its interval; None where it has no test images."""
    if math.isnan(row.recall):
        return None
    return formatting.in_column(percent(row.recall, Interval(row.recall_low, row.recall_high)))


class Drawn(NamedTuple):
    """A panel on what a model said of the test images: its title, and what draws it from the predictions, the names of the
    outputs and the id of the run."""

    title: str
    draw: Callable[[Predictions, list[str], str], None]


PANELS = {
    Panel.CONFUSION: Drawn("Mistakes", confusion.confusion),
    Panel.HARDEST: Drawn("Hardest {}", hardest),
    Panel.CLASSES: Drawn("Classes", classes),
    Panel.PREDICTED: Drawn("Predicted", predicted_numbers.predicted),
    Panel.RESIDUALS: Drawn("Errors", predicted_numbers.residuals),
    Panel.LARGEST_ERRORS: Drawn("Hardest {}", predicted_numbers.hardest),
    Panel.LABELS: Drawn("Labels", predicted_labels.labels),
    Panel.PRECISION_RECALL: Drawn("Precision and recall", predicted_labels.precision_recall),
    Panel.WRONG_LABELS: Drawn("Hardest {}", predicted_labels.hardest),
}
