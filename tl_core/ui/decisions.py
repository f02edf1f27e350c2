"""What is said of a run that another metric than accuracy decides: the headline, and how its decisions are made."""

import pandas as pd
import streamlit as st

from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import Interval
from tl_core.analysis.thresholds import at_threshold
from tl_core.metrics import Metric, of_kind
from tl_core.recipe import Recipe, things_of
from tl_core.result import Result, Threshold
from tl_core.runs import compared
from tl_core.runs.score import task_of
from tl_core.runs.store import Run
from tl_core.ui import formatting, forms, session
from tl_core.ui.charts import curves

ABOUT = "The number of the test examples that stands first in the result, and that chooses on the validation examples."


def measures(run: Run) -> tuple[curves.Measure, ...]:
    """Return what is drawn of a run over its steps."""
    told = session.events(run, "plan"), session.events(run, "epoch")
    return curves.measures_of(task_of(run), compared.deciding(run), *told)


def curves_alt(run: Run) -> str:
    """Return what screen readers say of its curves: "Loss and accuracy by step"."""
    return " and ".join([measures(run)[0].title, *(each.title.lower() for each in measures(run)[1:])]) + " by step"


def explained(metric: Metric, things: str, *, chooses: bool) -> str:
    """Return what a metric does where it decides a run on `things`, in sentences: whether it `chooses`, too, or the loss does."""
    lower = "" if metric.better.sign > 0 else " Lower is better."
    chosen = (
        f"Its value on the validation {things} chooses the best epoch, the best trial and the penalty of a computed head."
        if chooses
        else f"The loss on the validation {things} chooses the best epoch, the best trial and the penalty, as it always did."
    )
    how = f" Thresholds are fitted to the validation {things} and applied to the test {things}."
    fitted = how if metric.fits_thresholds else ""
    cost = f" Each of the {things} is taken for the class of the least expected cost." if not metric.most_probable else ""
    return f"{metric.summary()}{lower} {chosen}{fitted}{cost} The test {things} choose nothing."


def choice(recipe: Recipe) -> None:
    """Draw the choice of the metric that decides the next run, of those that suit its task, with its settings, and say what it
    does."""
    metric, offered = recipe.deciding_metric, of_kind(recipe.task.label_kind)
    is_named, key = metric == recipe.metric, "metric_name"
    st.session_state[key] = metric.name if is_named else None
    with st.expander("What decides", expanded=recipe.metric != compared.ACCURACY):
        st.selectbox(
            "Metric",
            list(offered),
            index=0 if compared.ACCURACY.name in offered else None,
            placeholder=f"{metric.title}, and the loss chooses",
            format_func=lambda name: offered[name].title,
            key=key,
            help=ABOUT,
            on_change=lambda: session.change({"metric": st.session_state[key] or compared.ACCURACY.name}),
        )
        forms.part_form("metric", metric)
        st.caption(formatting.plain(explained(metric, recipe.dataset.thing, chooses=recipe.metric_chooses)))


def headline(run: Run, result: Result, took: str) -> None:
    """Draw the value of the metric that decides, with the accuracy beside it, and what its thresholds do on the test images."""
    metric = compared.deciding(run)
    told = [phase.ended.validation_metric for phase in result.phases if phase.ended]
    chooses = compared.names_a_chooser(run) and (not result.validation_images or any(each is not None for each in told))
    value = formatting.unbroken(formatting.decided(run))
    st.markdown(
        f"### {formatting.plain(metric.full_title)} {value} on {result.test_images:,} test {things_of(run.spec)}, in {took}"
    )
    accuracy = "" if run.accuracy is None else f"Accuracy: {formatting.unbroken(formatting.accuracy_of(run))}. "
    st.caption(f"{accuracy}{explained(metric, things_of(run.spec), chooses=chooses)}")
    if metric.fits_thresholds and result.thresholds:
        _thresholds(run, result)


def _thresholds(run: Run, result: Result) -> None:
    rows = [_row(run, result, each) for each in result.thresholds]
    st.table(pd.DataFrame(rows).set_index("Class"))
    count, things = result.thresholds[0].n, things_of(run.spec)
    st.caption(
        f"Each threshold was fitted to the {count:,} validation {things}; precision and recall are what it attains on the test "
        f"{things}, with 95 % intervals. The value above is what the best threshold for the test {things} would reach."
    )


def _row(run: Run, result: Result, threshold: Threshold) -> dict[str, str]:
    said = session.predictions(run.id)
    found = at_threshold(said.labels, said.probabilities, threshold)
    return {
        "Class": formatting.plain(result.class_names[threshold.class_id]),
        "From probability": "none is right often enough" if threshold.value is None else f"{threshold.value:.3f}",
        "Precision": _share(found.right, found.taken, found.precision),
        "Recall": _share(found.right, found.present, found.recall),
    }


def _share(part: int, whole: int, interval: Interval | None) -> str:
    return "\N{EN DASH}" if interval is None else f"{percent(part / whole, interval)}, {part:,} of {whole:,}"
