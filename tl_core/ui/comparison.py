"""What the Compare page shows of many runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.metrics import Metric, MetricValue
from tl_core.report import figures, tables
from tl_core.runs import compared
from tl_core.runs.compared import ACCURACY
from tl_core.runs.findings import Findings
from tl_core.runs.store import Run
from tl_core.ui import address, compare_by, formatting, run_names, session
from tl_core.ui.against_cost import against_cost
from tl_core.ui.downloads import PARQUET, download

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
        with place:
            about = f"Show only these: {column.lower()}."
            kept = address.multiselect(column, sorted(whole[column].unique()), f"{address.ONLY}.{column.lower()}", about)
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
    """Draw the table and return the ids of the rows that are ticked, which the address holds; of a group where none is, those of
    all that were tested."""
    ticked = rows.index[rows["Run"].isin(wanted())].tolist()
    shown = as_shown(rows, metric)
    columns = _columns([name for name in shown if name not in LABELS or rows[name].map(bool).any()])
    picked = st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        key=f"runs_table_{hash(tuple(rows['Run']))}",  # what is ticked are places, which are of other runs in another table
        placeholder="\N{EN DASH}",
        column_order=columns,
        column_config=_column_config(metric),
        alt="All runs; tick rows to compare them",
    )
    shares = " Shares are of 1." if metric.percent else ""
    about = f"file with these runs.{shares} The ends of the 95 % intervals have columns of their own."
    with st.container(horizontal=True, gap="small", key="run_files"):
        download(lambda: _as_file(rows), "runs", "Download the numbers", f"A CSV {about}")
        download(lambda: _as_file(rows), "runs", "As Parquet", f"A Parquet {about}", PARQUET)
    chosen = [str(run_id) for run_id in rows.loc[picked.selection.rows, "Run"]]
    if chosen:
        st.query_params[session.RUNS_PARAMETER] = ",".join(chosen)
    elif session.RUNS_PARAMETER in st.query_params and not ticked:
        del st.query_params[session.RUNS_PARAMETER]
    tested = rows.loc[rows[metric.full_title].notna(), "Run"]
    return chosen or ([str(run_id) for run_id in tested] if session.GROUP_PARAMETER in st.query_params else [])


def _column_config(metric: Metric) -> dict[str, Any]:
    """Return how columns of the table are shown, and what their headings tell."""
    return {
        "Tags": st.column_config.ListColumn(help="Tags are given on the pages Train and Result."),
        "Disk": st.column_config.NumberColumn(format="%.1f MB", help="What its files take, in megabytes."),
        metric.full_title: st.column_config.TextColumn(help=f"{metric.summary()} Of the test examples, with its 95 % interval."),
        "Seconds": st.column_config.NumberColumn(format="%.1f", help="Wall seconds of data, backbone, training and test."),
        "Trainable": st.column_config.NumberColumn(format="localized", help="Parameters that trained in any phase."),
        "Size": st.column_config.NumberColumn(format="%d px", help="Pixels of each side to which images are brought."),
        "Labels": st.column_config.NumberColumn(help="Labelled training examples of each class; empty means all."),
        "Made": st.column_config.DatetimeColumn(format="DD MMM HH:mm", help="When it was started, in the time of the machine."),
    }


def _columns(offered: Sequence[str]) -> list[str]:
    """Draw a choice of the columns of the table and return those that are shown, in their order."""
    with st.popover("Columns", icon=":material/view_column:", key="columns_choice", help="Which columns the table shows."):
        about = "Show only these columns. The files that can be downloaded have all of them."
        chosen = address.multiselect("Columns", offered, address.COLUMN, about)
    return [name for name in offered if name in chosen or not chosen]


def charts(runs: Sequence[Run], chosen: Sequence[Run], metric: Metric, found: Findings | None) -> None:
    """Draw `metric` against a cost of all tested runs, and of those that are chosen what is `found`, their settings against the
    metric, and their curves over each other."""
    against_cost(chosen or runs, metric)
    names, reads = formatting.names_apart, compare_by.reads(metric)
    if found and len(found.runs) > 1:
        formatting.draw(figures.parallel_coordinates(found, names), "parallel")
    if chosen:
        titles = [measure.with_unit for measure in figures.curves_of(chosen, reads)]
        place = st.radio("Curve", range(len(titles)), format_func=titles.__getitem__, horizontal=True, key="curve")
        formatting.draw(figures.curves(chosen, place, names, reads, chosen=session.run_id()), "overlaid")
        formatting.draw(figures.usage(chosen, names, reads), "usage")


def differences(chosen: Sequence[Run]) -> None:
    """Draw a table of the settings in which the chosen runs differ."""
    if len(chosen) > 1:
        st.markdown("**Settings that differ**")
        st.dataframe(tables.differences(chosen, formatting.names_apart), width="stretch", alt="Settings that differ")
