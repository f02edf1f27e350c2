"""What the Result page says: the sentence, the controls it is held against, and the evidence."""

import math
import shlex
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.analysis import comparison, convergence, metrics
from tl_core.analysis.statements import interval_of, percent, seconds
from tl_core.analysis.statistics import Interval
from tl_core.precision import Precision
from tl_core.recipe import Recipe
from tl_core.result import PhaseRecord, Predictions, Result
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.spec import RunSpec
from tl_core.ui import confusion, formatting, recipe_bar, session, steps
from tl_core.ui.charts import curves, outcome
from tl_core.ui.estimate_check import expected

CONTROLS: tuple[dict[str, Any], ...] = (
    {},
    {"backbone": "small_cnn"},
    {"backbone": "small_cnn", "backbone.batch_norm": True},
    {"backbone": "article_mlp"},
)
"""What is offered as a control: the run's own network from random weights, and networks that were never pretrained."""
CLASS_COLUMNS = ("class", "images", "precision", "recall", "f1", "most often taken for")
"""What is shown of `metrics.per_class`, in this order."""


def contender(run: Run, name: str = "") -> comparison.Contender:
    """Return a finished run as one side of a comparison, under `name`, or else under its own name."""
    said = session.predictions(run.id)
    return comparison.Contender(
        title=name or formatting.name_of(run),
        transfer=run.spec.strategy.name != "from_scratch",
        correct=said.probabilities.argmax(axis=1) == said.labels,
        accuracy=run.accuracy or 0.0,
        interval=interval_of(run) or Interval(0.0, 1.0),
        seconds=run.seconds or 0.0,
        test_digest=run.test_digest or "",
    )


def sentence(run: Run, result: Result) -> None:
    """Draw the first thing that is said of a run: accuracy, time, warnings and counts."""
    accuracy, took = formatting.unbroken(formatting.accuracy_of(run)), formatting.unbroken(seconds(result.seconds))
    st.markdown(f"### {accuracy} of {result.test_images:,} test images right, in {took}")
    for warning in convergence.warnings(result):
        st.warning(formatting.plain(warning), icon=":material/trending_down:")
    trained, total = result.trainable_parameters, result.total_parameters
    st.caption(
        "The range in brackets is the 95 % interval (Wilson). "
        f"{result.train_images:,} training and {result.validation_images:,} validation images. "
        f"{trained:,} of {total:,} parameters trained."
    )
    if result.resumed:
        each_time = " each time" if result.resumed > 1 else ""
        st.caption(
            f"The run was interrupted {formatting.times(result.resumed)} and continued from its last checkpoint{each_time}. "
            "The time is that of all its attempts."
        )


def controls(run: Run) -> None:
    """Draw how the run compares with training from scratch on the same labels, and buttons for controls not run yet."""
    if run.spec.strategy.name == "from_scratch":
        st.caption("This run is a control itself: it starts from random weights.")
        return
    twins = [other for other in session.runs() if _is_control(other, run)]
    latest = {formatting.model_of(other): other for other in reversed(twins)}
    for other in latest.values():
        st.markdown(f"- {formatting.plain(comparison.verdict(contender(run), contender(other)))}")
    recipes = [Recipe.of(run.spec.with_settings({"strategy": "from_scratch"} | changes)) for changes in CONTROLS]
    titles = [f"{recipe.backbone.listing().title} · {recipe.strategy.title}" for recipe in recipes]
    missing = {title: recipe for title, recipe in zip(titles, recipes, strict=True) if title not in latest}
    if not latest:
        st.caption("To see what the transfer saved, train on the same labels from scratch. Start a control:")
    elif missing:
        st.caption("More controls, on the same labels:")
    with st.container(horizontal=True, key="controls"):
        for title, recipe in missing.items():
            _control_button(recipe, title)


def _control_button(recipe: Recipe, title: str) -> None:
    about = "Train it on the same labels, from random weights."
    if st.button(title, key=f"control_{title}", icon=":material/play_arrow:", help=about):
        with formatting.sentence_for_mistakes():
            started = recipe_bar.start(recipe)
            st.switch_page(steps.TRAIN.script, query_params={session.RUN_PARAMETER: started})


def _is_control(other: Run, run: Run) -> bool:
    finished = other.state is State.DONE and other.spec.strategy.name == "from_scratch"
    return finished and other.test_digest == run.test_digest and comparison.same_data(other.spec, run.spec)


def evidence(run: Run, result: Result) -> None:
    """Draw mistakes, curves, time, proof and settings, in tabs."""
    said = session.predictions(run.id)
    names = list(result.class_names)
    tabs = st.tabs(["Mistakes", "Hardest images", "Classes", "Curves", "Time", "Proof", "Settings"])
    with tabs[0]:
        confusion.confusion(said, names, run.id)
    with tabs[1]:
        hardest(said, names, run.id)
    with tabs[2]:
        classes(said, names)
    with tabs[3]:
        _curves(run)
    with tabs[4]:
        expected(run, result)
        formatting.chart(outcome.seconds_bar(result.timings, run.waited), f"time_{run.id}", "Seconds of each part of the run")
    with tabs[5]:
        proof(result)
    with tabs[6]:
        settings(run.spec, result)


def _curves(run: Run) -> None:
    steps, epochs = session.events(run, "step"), session.events(run, "epoch")
    computed = curves.computed(session.events(run, "plan"), steps, epochs)
    if computed:
        st.caption(computed)
    else:
        formatting.chart(curves.learning_curves(steps, epochs, run.id), f"result_curves_{run.id}", "Loss and accuracy by step")


def hardest(said: Predictions, names: list[str], run_id: str) -> None:
    """Draw the test images whose true class got the lowest probability."""
    rows = said.probabilities[said.hardest]
    taken, sure, true = rows.argmax(axis=1), rows.max(axis=1), said.labels[said.hardest]
    captions = [f"is {names[t]}\n{100 * p:.0f} % {names[s]}" for t, s, p in zip(true, taken, sure, strict=True)]
    hovers = [f"{name}: {names[t]}, taken for {names[s]}" for name, t, s in zip(said.hardest_names, true, taken, strict=True)]
    st.caption(
        "The test images whose true class got the lowest probability, each with its true class and the predicted one with its "
        "probability."
    )
    figure = outcome.image_grid(said.hardest_pixels, captions, hovers, columns=4)
    formatting.chart(figure, f"hardest_{run_id}", "Hardest test images")


def classes(said: Predictions, names: list[str]) -> None:
    """Draw a table with precision, recall and F1 of each class, in percent."""
    table = metrics.per_class(said.labels, said.probabilities, names)
    table["recall"] = [_recall(row) for row in table.itertuples()]
    table[["precision", "f1"]] *= 100
    titles = {name: name.capitalize() for name in CLASS_COLUMNS}
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
        "Precision: the share of the images classified as this class that belong to it. Recall: the share of this class's images "
        "that were found, with its 95 % interval. F1: the harmonic mean of both."
    )


def _recall(row: Any) -> str | None:
    """Return the recall of a class with its interval; None where it has no test images."""
    if math.isnan(row.recall):
        return None
    return formatting.in_column(percent(row.recall, Interval(row.recall_low, row.recall_high)))


def proof(result: Result) -> None:
    """Draw what trained in each phase, and that the rest did not change."""
    for phase in result.phases:
        st.markdown(
            f"**{formatting.plain(phase.name)}** · {_how(phase)}. "
            f"{len(phase.trained)} variables with {phase.trainable_parameters:,} parameters trained."
        )
        still = f"{phase.unchanged_tensors} of {phase.frozen_tensors} frozen tensors unchanged"
        st.markdown(
            f":material/verified: **{still}**, bit for bit, BatchNorm statistics included."
            if phase.frozen_tensors
            else "Nothing was frozen."
        )
        for line in (*phase.remarks, *phase.frozen_part):
            st.caption(formatting.plain(line))
        with st.expander("Variables that trained"):
            st.code("\n".join(phase.trained), language=None, wrap_lines=True)
    if result.frozen_part:
        st.markdown("**Test**")
    for line in result.frozen_part:
        st.caption(formatting.plain(line))
    if not result.validation_images and any(phase.learning_rate is not None for phase in result.phases):
        st.caption("Without validation images no epoch is known to be the best: each phase kept its last one.")
    source = result.provenance
    st.caption(f"Weights: {formatting.plain(source.source)}, learned from {formatting.plain(source.learned_from)}.")
    if source.sha256:
        st.caption(f"sha256 of the weights file: {source.sha256}")


def _how(phase: PhaseRecord) -> str:
    """Return how a phase went, in its own numbers."""
    if phase.learning_rate is None:
        chosen = ", ".join(f"{name} = {value:g}" for name, value in phase.chosen.items())
        by = phase.chosen_by if phase.chosen_by in {"given", "default"} else f"chosen by {phase.chosen_by}"
        return "computed from the features" + (f", {formatting.plain(f'{chosen} ({by})')}" if chosen else "")
    kept = {None: "", phase.epochs: "", 0: ", back to its initial weights, since no epoch had a lower validation loss"}
    back = kept.get(phase.best_epoch, f", back to the best one, epoch {phase.best_epoch}")
    return f"{phase.epochs} epochs{back}, rate {phase.learning_rate:g}, batch size {phase.batch_size}"


def settings(spec: RunSpec, result: Result) -> None:
    """Draw the exact settings, the versions, and the command that repeats the run in the precision that it computed in."""
    if result.precision is not Precision.FLOAT32:
        spec = spec.with_settings({"precision": result.precision})
    changes = [f"--set {shlex.quote(f'{name}={_text(value)}')}" for name, value in Recipe.of(spec).overrides().items()]
    st.code(" ".join(["python -m tl_core train", *changes]), language=None, wrap_lines=True)
    facts = (
        spec.dotted()
        | {
            "precision": result.precision,
            "sha256 of the data": result.data_digest or None,
            "computed on": result.device or None,
        }
        | result.versions
    )
    table = {name: _text(value) for name, value in facts.items()}
    st.dataframe(
        pd.DataFrame({"Setting": table.keys(), "Value": table.values()}),
        hide_index=True,
        width="stretch",
        alt="All settings of this run",
    )
    if st.button(
        "Use these settings",
        key="use_settings",
        icon=":material/edit:",
        help="Copy them into the recipe, to change one and run again.",
    ):
        session.take(spec)
        st.switch_page(steps.STRATEGY.script)


def _text(value: object) -> str:
    return "null" if value is None else str(value)
