"""What the Compare page shows of many runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from tl_core.analysis import comparison
from tl_core.errors import TransferError
from tl_core.metrics import Metric, MetricValue
from tl_core.recipe import Recipe
from tl_core.runs import compared
from tl_core.runs.compared import ACCURACY
from tl_core.runs.score import task_of
from tl_core.runs.store import Run
from tl_core.ui import compare_by, decisions, formatting, run_names, session
from tl_core.ui.against_cost import against_cost
from tl_core.ui.charts import comparing, curves, machine
from tl_core.ui.downloads import download

FILTERS = ("Dataset", "Backbone", "Strategy", "State")
LABELS = ("Name", "Tags", "Starred")
"""Columns that are hidden while nobody has given any."""


def table(runs: Sequence[Run], metric: Metric = ACCURACY) -> pd.DataFrame:
    """Return every run as a row, the best by `metric` first, and those without a value last. Its values, with the ends `Low` and
    `High` of their 95 % intervals, are numbers: shares in 0..1."""
    values = compare_by.values(runs, metric)
    rows = [_row(run, metric.full_title, values.get(run.id)) for run in compared.ranked(runs, values)]
    return pd.DataFrame(rows)


def _row(run: Run, title: str, found: MetricValue | None) -> dict[str, object]:
    dataset, backbone, strategy = formatting.titles_of(run)
    return {
        "Name": run_names.given_to(run),
        "Tags": list(run.tags),
        "State": formatting.state_of(run),
        "Dataset": dataset,
        "Labels": run.spec.dataset.settings.get("labels_per_class"),
        "Backbone": backbone,
        "Strategy": strategy,
        title: found.value if found else None,
        "Low": found.low if found else None,
        "High": found.high if found else None,
        "Seconds": run.seconds,
        "Trainable": run.trainable_parameters,
        "Size": run.spec.image_size,
        "Seed": run.spec.seed,
        "Starred": run.starred,
        "Disk": None if run.disk_bytes is None else run.disk_bytes / 1e6,
        "Made": datetime.fromtimestamp(run.created),
        "Run": run.id,
    }


def filtered(whole: pd.DataFrame) -> pd.DataFrame:
    """Draw the filters above the table and return the rows that pass them."""
    chosen = whole
    columns = st.columns(len(FILTERS))
    for place, column in zip(columns, FILTERS, strict=True):
        kept = place.multiselect(
            column,
            sorted(whole[column].unique()),
            key=f"filter_{column.lower()}",
            placeholder="All",
            help=f"Show only these: {column.lower()}.",
        )
        if kept:
            chosen = chosen[chosen[column].isin(kept)]
    return chosen.reset_index(drop=True)


def wanted() -> list[str]:
    """Return the ids of the runs that the address names."""
    return [part for part in st.query_params.get(session.RUNS_PARAMETER, "").split(",") if part]


def as_shown(rows: pd.DataFrame, metric: Metric = ACCURACY) -> pd.DataFrame:
    """Return the rows as they are read on a page: a value and its interval are one text, which sorts as a number."""
    numbers = zip(rows[metric.full_title], rows["Low"], rows["High"], strict=True)
    texts = [compare_by.text(*each, metric) for each in numbers]
    digits = max(3, *(formatting.whole_digits(text) for text in filter(None, texts)), 0)
    texts = [text and formatting.in_column(text, digits) for text in texts]
    return rows.drop(columns=["Low", "High"]).assign(**{metric.full_title: pd.Series(texts, rows.index, dtype=object)})


def _as_file(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(Tags=[", ".join(tags) for tags in rows["Tags"]])


def choose(rows: pd.DataFrame, metric: Metric) -> list[str]:
    """Draw the table and return the ids of the rows that are ticked. The URL holds them."""
    ticked = rows.index[rows["Run"].isin(wanted())].tolist()
    shown = as_shown(rows, metric)
    picked = st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        key=f"runs_table_{hash(tuple(rows['Run']))}",  # what is ticked are places, which are of other runs in another table
        placeholder="\N{EN DASH}",
        column_order=[name for name in shown if name not in LABELS or rows[name].map(bool).any()],
        column_config={
            "Tags": st.column_config.ListColumn(help="Tags are given on the pages Train and Result."),
            "Disk": st.column_config.NumberColumn(format="%.1f MB", help="What its files take, in megabytes."),
            metric.full_title: st.column_config.TextColumn(
                help=f"{metric.summary()} Of the test images, with its 95 % interval."
            ),
            "Seconds": st.column_config.NumberColumn(format="%.1f", help="Wall seconds of data, backbone, training and test."),
            "Trainable": st.column_config.NumberColumn(format="localized", help="Parameters that trained in any phase."),
            "Size": st.column_config.NumberColumn(format="%d px", help="Pixels of each side to which images are brought."),
            "Labels": st.column_config.NumberColumn(help="Labelled training images of each class; empty means all."),
            "Made": st.column_config.DatetimeColumn(
                format="DD MMM HH:mm", help="When it was started, in the time of the machine."
            ),
        },
        alt="All runs; tick rows to compare them",
    )
    shares = " Shares are of 1." if metric.percent else ""
    about = f"A CSV file with these runs.{shares} The ends of the 95 % intervals have columns of their own."
    download(lambda: _as_file(rows), "runs", "Download the numbers", about)
    chosen = rows.loc[picked.selection.rows, "Run"].tolist()
    if chosen:
        st.query_params[session.RUNS_PARAMETER] = ",".join(chosen)
    elif session.RUNS_PARAMETER in st.query_params and not ticked:
        del st.query_params[session.RUNS_PARAMETER]
    return chosen


def charts(runs: Sequence[Run], chosen: Sequence[Run], metric: Metric) -> None:
    """Draw `metric` against a cost of all tested runs, and the chosen runs' curves over each other."""
    against_cost(chosen or runs, metric)
    if chosen:
        labels = formatting.names_apart(chosen)
        _curves(chosen, labels)
        used = [(labels[run.id], session.usage(run)) for run in chosen]
        formatting.chart(machine.usage_bars(used), "usage", "GPU energy, CPU time and most memory of the chosen runs")


def _curves(chosen: Sequence[Run], labels: Mapping[str, str]) -> None:
    """Draw what validation images say of the chosen runs over each other: of a measure that one chooses, those that have it."""
    found: dict[curves.Measure, list[Run]] = defaultdict(list)
    losses = {decisions.measures(run)[0] for run in chosen}
    for run in chosen:
        loss, *deciding = decisions.measures(run)
        for measure in dict.fromkeys([*deciding, *([curves.ACCURACY] if task_of(run).has_accuracy else []), loss]):
            found[measure].append(run)
    offered = sorted(found, key=losses.__contains__)
    place = st.radio(
        "Curve", range(len(offered)), format_func=lambda place: offered[place].with_unit, horizontal=True, key="curve"
    )
    drawn = {run.id: session.events(run, "epoch") for run in found[offered[place]]}
    if others := len(chosen) - len(drawn):
        st.caption(f"{others} of the {len(chosen)} runs {'has' if others == 1 else 'have'} no such curve.")
    formatting.chart(
        comparing.overlaid_curves(drawn, labels, offered[place], session.run_id()),
        "overlaid",
        "Validation curves of the chosen runs",
    )


def differences(chosen: Sequence[Run]) -> None:
    """Draw a table of the settings in which the chosen runs differ."""
    if len(chosen) > 1:
        st.markdown("**Settings that differ**")
        names = formatting.names_apart(chosen)
        st.dataframe(
            comparison.differences({names[run.id]: _settings(run) for run in chosen}),
            width="stretch",
            alt="Settings that differ",
        )


def _settings(run: Run) -> dict[str, object]:
    """Return the settings of a run by their dotted names, as they are called today where this version can read them."""
    try:
        return Recipe.of(run.spec).draft().dotted()
    except TransferError:
        return run.spec.dotted()
