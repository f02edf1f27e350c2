"""By which metric runs are compared: the choice, which is in the address, what each run has of it, and what is said of two."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.analysis import comparison, statements
from tl_core.analysis.comparison import Contender
from tl_core.analysis.paired_tests import PairedTest
from tl_core.analysis.statistics import Interval
from tl_core.errors import RunError, SettingError
from tl_core.metrics import Metric, MetricValue, metric_of, metrics
from tl_core.runs import compared, flops
from tl_core.runs.compared import ACCURACY, Lacks
from tl_core.runs.findings import Reads
from tl_core.runs.score import label_kind, primary_metric
from tl_core.runs.store import Run
from tl_core.spec import PartSpec, from_text, to_text
from tl_core.ui import formatting, forms, session

BY = session.BY_PARAMETER
MOST_COMPUTED = 200
"""So many runs, the newest first, are measured for a comparison by what was not stored with them."""
WORDS = {
    Lacks.OTHER_LABELS: "It does not suit what {runs} {has} to predict.",
    Lacks.OTHER_CLASSES: "It says nothing of so many classes as {runs} {has}.",
    Lacks.LOST: "The predictions of {runs}, which it needs, cannot be read.",
}


def choice(runs: Sequence[Run]) -> Metric:
    """Draw a list of the metrics by which `runs` can be compared, with a form for the settings of the chosen one, and return it;
    what runs lack of it is said. The address holds the choice."""
    asked = _asked(usual := _usual(runs))
    offered = {metric.full_title: metric for metric in (*_offered(runs), asked)}
    st.session_state["compare_by"] = asked.full_title
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_by_choice"):
        title = st.selectbox(
            "Compare by",
            list(offered),
            key="compare_by",
            on_change=lambda: _keep(offered[st.session_state["compare_by"]], usual),
            help="The metric of the test examples by which the table is sorted, the chart is drawn and runs are told apart.",
        )
        chosen = offered[title]
        if type(chosen).model_fields:
            with st.popover("Settings", icon=":material/tune:", key=f"compare_by_{chosen.name}", help="Settings of this metric."):
                forms.part_form("metric", chosen, change=partial(_set, chosen, usual))
    if problem := session.complaint():
        formatting.say_wrong(problem)
    st.caption(f"{chosen.summary()}{'' if chosen.better.sign > 0 else ' Lower is better.'}")
    _say_what_is_lacking(runs, chosen)
    return chosen


def _offered(runs: Sequence[Run]) -> tuple[Metric, ...]:
    """Return every metric with its defaults, then those that runs were measured by with other settings."""
    other = {metric_of(found): None for run in runs for found in run.metrics if found.settings and found.name in metrics.parts()}
    return (*(part() for part in metrics.parts().values()), *other)


def _usual(runs: Sequence[Run]) -> Metric:
    """Return by what these runs are compared where nobody says it: what decides the next run, unless they have another task."""
    tested, next_run = [run for run in runs if run.test_images], session.recipe().metric
    kinds = {label_kind(run) for run in tested}
    return next_run if not tested or next_run.label_kind in kinds else primary_metric(tested[0])


def _asked(usual: Metric) -> Metric:
    """Return the metric that the address says; the `usual` one where it says none, or none that there is."""
    given = st.query_params.to_dict()
    if not (name := given.get(BY)):
        return usual
    settings = {each.removeprefix(f"{BY}."): from_text(text) for each, text in given.items() if each.startswith(f"{BY}.")}
    try:
        return metrics.build(PartSpec(name=name, **settings))
    except SettingError as error:
        formatting.say_wrong(f"The address of this page holds a metric that does not fit. {error}")
        return usual


def _set(metric: Metric, usual: Metric, settings: Mapping[str, Any]) -> None:
    """Write `metric` with other `settings`, by their dotted names, into the address. What does not fit is said on the page, and
    changes nothing."""
    changed = {name.partition(".")[2]: from_text(value) for name, value in settings.items()}
    try:
        _keep(metrics.build(PartSpec(name=metric.name, **(metric.model_dump(mode="json") | changed))), usual)
    except SettingError as error:
        st.session_state[session.COMPLAINT] = str(error)


def _keep(metric: Metric, usual: Metric) -> None:
    """Write the metric, with the settings that it was given, into the address; the `usual` one is not named."""
    for name in [each for each in st.query_params if each.partition(".")[0] == BY]:
        del st.query_params[name]
    if metric != usual:
        own = {f"{BY}.{name}": to_text(value) for name, value in metric.own_settings.items()}
        st.query_params.update({BY: metric.name} | own)


def _say_what_is_lacking(runs: Sequence[Run], metric: Metric) -> None:
    found = [_value(run, metric) for run in _measurable(runs, metric)]
    for lack, count in Counter(each for each in found if isinstance(each, Lacks)).items():
        if lack in WORDS:
            told = {"runs": "1 run" if count == 1 else f"{count:,} runs", "has": "has" if count == 1 else "have"}
            st.caption(f"{metric.full_title} is lacking: {WORDS[lack].format(**told)}")
    left = sum(bool(run.test_images) for run in runs) - sum(bool(run.test_images) for run in _measurable(runs, metric))
    if left:
        st.caption(
            f"{left:,} older runs have no {metric.in_sentence} here: it was not stored with them. Filter the runs by their tags, "
            "and it is computed of those that are left."
        )


def values(runs: Sequence[Run], metric: Metric) -> dict[str, MetricValue]:
    """Return what the finished ones of `runs` have of `metric`, by id: stored, or computed once from their predictions."""
    found = {run.id: _value(run, metric) for run in _measurable(runs, metric)}
    return {run_id: value for run_id, value in found.items() if isinstance(value, MetricValue) and not pd.isna(value.value)}


def _measurable(runs: Sequence[Run], metric: Metric) -> list[Run]:
    """Return the runs of which the metric is known, and of the others the first ones."""
    known = {run.id for run in runs if metric == ACCURACY or any(compared.is_of(found, metric) for found in run.metrics)}
    others = [run.id for run in runs if run.id not in known and run.test_images][:MOST_COMPUTED]
    return [run for run in runs if run.id in known or run.id in set(others)]


def _value(run: Run, metric: Metric) -> MetricValue | Lacks:
    """Return what is stored with the run, which a thousand of them need not look up, or else what was computed once."""
    if (stored := compared.stored_value(run, metric)) is not None:
        return stored
    return _computed(run.id, run.state_revision, metric.spec().model_dump_json())


@st.cache_resource(show_spinner="Computing this metric of the runs, once.", max_entries=4096)
def _computed(run_id: str, revision: int, metric: str) -> MetricValue | Lacks:
    """Return the value by what decides it."""
    return compared.value_of(session.run(run_id), _read(metric), session.predictions)


def _read(metric: str) -> Metric:
    return metrics.build(PartSpec.model_validate_json(metric))


def verdict(first: Run, second: Run, metric: Metric, names: Mapping[str, str]) -> str:
    """Return the sentence that compares two finished runs by `metric`; `names` has what they are called, by their ids. Raises
    `RunError` where one has no such value."""
    one, other = (_contender(run, metric, names[run.id]) for run in (first, second))
    return comparison.verdict(one, other, tested(first, second, metric))


def tested(first: Run, second: Run, metric: Metric) -> PairedTest | None:
    """Return what a paired test of two finished runs says, computed once."""
    return _tested(first.id, second.id, metric.spec().model_dump_json())


def reads(metric: Metric) -> Reads:
    """Return how the pages read more of runs that are compared by `metric`: once for all browsers."""
    return Reads(
        test=lambda first, second: tested(first, second, metric),
        events=session.events,
        classes=lambda run: len(session.result(run.id).class_names),
        usage=session.usage,
        flops=lambda run: _flops(run.id, run.state_revision),
    )


@st.cache_data(ttl=60, show_spinner=False, max_entries=256)
def _flops(run_id: str, revision: int) -> float | None:
    return flops.of(session.store(), session.run(run_id))


def _contender(run: Run, metric: Metric, name: str) -> Contender:
    found = _value(run, metric)
    if isinstance(found, Lacks):
        raise RunError(f"{name} has no {metric.in_sentence}.", "Compare by another metric.", received=run.id)
    return compared.contender(run, name, found, metric)


@st.cache_resource(show_spinner="Comparing the runs example by example.", max_entries=1024)
def _tested(first: str, second: str, metric: str) -> PairedTest | None:
    return compared.paired_test(session.run(first), session.run(second), _read(metric), session.predictions)


def text(value: float | None, low: float | None, high: float | None, metric: Metric) -> str | None:
    """Return a value of a table with the ends of its interval in words; None where there is none."""
    if value is None or pd.isna(value):
        return None
    interval = None if low is None or high is None or pd.isna(low) or pd.isna(high) else Interval(low, high)
    return statements.measured(value, interval, is_share=metric.percent, in_unit=metric.in_unit)
