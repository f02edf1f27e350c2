"""A finished run on other data than its own: what it said of those that it was tested on, and a form that asks for more."""

from collections.abc import Mapping
from datetime import datetime
from math import floor, isnan, log10
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from tl_core import datasets
from tl_core.analysis.statements import percent
from tl_core.analysis.statistics import wilson
from tl_core.data.label_kinds import NUMBERS
from tl_core.datasets import Dataset
from tl_core.datasets._user_data import UserDataset
from tl_core.errors import TransferError
from tl_core.metrics import Metric, metrics
from tl_core.notes import sentences
from tl_core.recipe import Recipe, things_of
from tl_core.runs import evaluations, score
from tl_core.runs.evaluations import Difference, Evaluation
from tl_core.runs.store import Run
from tl_core.spec import RunSpec
from tl_core.studies.evaluation import EvaluationResult, EvaluationStudy
from tl_core.ui import formatting, forms, other_metrics, session
from tl_core.ui.study_panel import StudyPanel

DRAFT = "other_data"
"""Where the session keeps the settings of the data that are asked about."""
KIND = "dataset"
NARROW = 0.03
"""A difference of shares whose interval is not wider has a decimal."""
NOT_ASKED = ("labels_per_class", *UserDataset.__annotations__)
"""Settings of how data are learned from."""
OF_ITS_OWN = ("left_out", "display_name")
"""Settings that are about the very data of a run."""
ABOUT = (
    "Does it hold on last month's photographs? The model of this run is tested on the test split of other data, or on all of "
    "them where they have none. {labels}, and examples that the run has learned from do not count. The run's own test stays as "
    "it is."
)


OF_CLASSES = (
    "That of the accuracy is Wilson's, and that of its difference Newcombe's (1998); those of other differences are put together "
    "in the same way from both intervals."
)
OF_LABELS = "Those of differences are put together from both intervals, as Newcombe (1998) does."
OF_NUMBERS = "Those of differences are by a bootstrap that draws from each test for itself."


def other_data(run: Run) -> None:
    """Draw what the run said of other data, the newest first, and the form that asks for more."""
    found = evaluations.read(session.store().folder(run.id))
    if found:
        st.subheader("Tested on other data", anchor=False)
    for number, each in enumerate(found):
        with st.container(border=True, key=f"evaluation_{number}"):
            _evaluation(run, each, is_newest=number == 0)
    place = st.expander("Test on other data", icon=":material/compare:", key=f"test_on_{run.id}")
    with place, formatting.sentence_for_mistakes():
        _form(run)


def _evaluation(run: Run, found: Evaluation, *, is_newest: bool) -> None:
    """Draw one of them; what is to be known of earlier ones is folded away."""
    said = found.told(score.primary_metric(run), things_of(run.spec))
    st.markdown(f"**{formatting.plain(found.title)}**: {formatting.plain(said)}")
    notes = "\n".join(f"- {formatting.plain(note)}" for note in sentences(found.notes))
    if is_newest:
        st.markdown(notes)
    made = datetime.fromtimestamp(found.at).strftime("%d %b %Y %H:%M")
    with st.expander("All metrics and classes" if found.classes else "All metrics", key=f"numbers_{run.id}_{found.digest[:16]}"):
        if not is_newest:
            st.markdown(notes)
        st.table(pd.DataFrame(_metric_rows(found)).set_index("Metric"))
        if found.classes:
            _classes(run, found)
        how = OF_CLASSES if found.classes else OF_NUMBERS if score.label_kind(run).single else OF_LABELS
        st.caption(f"Tested {made}. All ranges are 95 % intervals. {how}")


def _metric_rows(found: Evaluation) -> list[dict[str, str]]:
    known, gains = metrics.parts(), {each.name: each for each in found.differences}
    return [
        {
            "Metric": known[value.name].title if value.name in known else formatting.plain(value.name),
            "Here": formatting.unbroken(other_metrics.text_of(value)),
            "Above its own test by": _gain(gains.get(value.name), known.get(value.name)),
            "Better": str(value.better),
        }
        for value in found.metrics
    ]


def _gain(gain: Difference | None, metric: type[Metric] | None) -> str:
    """Return a difference with its interval: "-24 points (-31 to -17)", "+0.350 (+0.140 to +0.560)"; empty for none."""
    if gain is None or isnan(gain.value):
        return ""
    width = (gain.high or 0.0) - (gain.low or 0.0)
    unit, factor, digits = "", 1, 3
    if metric and metric.percent:
        unit, factor, digits = " points", 100, 0 if width > NARROW else 1
    elif metric and metric.in_unit:
        digits = max(0, 1 - floor(log10(width or abs(gain.value) or 1.0)))
    value, *ends = (f"{factor * each:+z,.{digits}f}" for each in (gain.value, gain.low, gain.high) if each is not None)
    return formatting.unbroken(f"{value}{unit}" + (f" ({ends[0]} to {ends[1]})" if ends else "")).replace("-", "\N{MINUS SIGN}")


def _classes(run: Run, found: Evaluation) -> None:
    """Draw a table with the recall of each class, here and in the run's own test."""
    said = session.predictions(run.id)
    right = said.probabilities.argmax(axis=1) == said.labels
    rows = [
        {
            "Class": each.name,
            "Images": each.examples,
            "Recall": _share(each.correct, each.examples),
            "In its own test": _share(int(right[said.labels == label].sum()), int((said.labels == label).sum())),
        }
        for label, each in enumerate(found.classes)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", placeholder="\N{EN DASH}", alt="Recall of each class")


def _share(correct: int, examples: int) -> str | None:
    return formatting.in_column(percent(correct / examples, wilson(correct, examples))) if examples else None


def _form(run: Run) -> None:
    dataset, kind = _draft(run), score.label_kind(run)
    matched = f"{kind.strata_named.capitalize()} are matched by name"
    about = ABOUT.format(labels="Their number must be in the same unit" if kind == NUMBERS else matched)
    sources = {part.name: part.title for part in _alike(run)}
    st.session_state["other_source"] = dataset.name
    st.selectbox(
        "Source",
        list(sources),
        format_func=sources.__getitem__,
        key="other_source",
        help="Where the other data come from.",
        on_change=lambda: _change({KIND: st.session_state["other_source"]}),
    )
    forms.part_form(KIND, dataset, without=NOT_ASKED, change=_change)
    problem = session.complaint()
    if problem:
        formatting.say_wrong(problem)
    if forms.is_unfilled(dataset):
        st.caption(about)
        return
    recipe = Recipe.of(run.spec.model_copy(update={KIND: dataset.spec()}))
    StudyPanel(EvaluationStudy(run_id=run.id), about, "Test", "Test again", "play_arrow", _show).draw(recipe)


def _show(found: EvaluationResult) -> None:
    if found.finished:
        st.caption("What the last test on these data found stands above.")


def _draft(run: Run) -> Dataset:
    """Return the data that this session asks about: at first of the run's own source, read in the same way, or where that takes
    no path, of the first one like it that does."""
    alike = {part.name: part for part in _alike(run)}
    if st.session_state.get(DRAFT, {}).get(KIND) not in alike:
        own, unfilled = run.spec.dataset.name, [name for name, part in alike.items() if forms.is_unfilled(part())]
        read = {KIND: own} | _ways_to_read(run) if own in unfilled else {KIND: next(iter(unfilled or alike))}
        st.session_state[DRAFT] = read
    return datasets.build(RunSpec().with_settings(st.session_state[DRAFT]).dataset)


def _ways_to_read(run: Run) -> dict[str, Any]:
    """Return the settings of a run's source that say neither where its data are nor how they were learned from."""
    fields = datasets.datasets.part(run.spec.dataset.name).model_fields
    kept = [
        name for name in fields if name not in (*NOT_ASKED, *OF_ITS_OWN) and forms.kind_of(fields[name].annotation)[0] is not Path
    ]
    given = run.spec.dotted()
    return {dotted: given[dotted] for dotted in (f"{KIND}.{name}" for name in kept) if given.get(dotted) is not None}


def _alike(run: Run) -> list[type[Dataset]]:
    """Return the sources of the same examples and labels as those that the run learned from."""
    modality, kind = datasets.datasets.part(run.spec.dataset.name).modality, score.label_kind(run)
    return [part for part in datasets.datasets.parts().values() if part.modality is modality and kind in part.label_kinds]


def _change(settings: Mapping[str, Any]) -> None:
    """Change the data that are asked about, by dotted names. What does not fit is said on the page, and changes nothing."""
    before = {} if KIND in settings else st.session_state[DRAFT]
    try:
        dataset = datasets.build(RunSpec().with_settings({**before, **settings}).dataset)
    except TransferError as error:
        st.session_state[session.COMPLAINT] = str(error)
        return
    dotted = RunSpec(dataset=dataset.spec()).dotted()
    st.session_state[DRAFT] = {name: value for name, value in dotted.items() if name.partition(".")[0] == KIND}
