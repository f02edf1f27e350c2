"""What the Compare page shows of many runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import pandas as pd
import streamlit as st

from tl_core.analysis import comparison
from tl_core.analysis.statements import interval_of, percent
from tl_core.analysis.statistics import Interval
from tl_core.runs.store import Run
from tl_core.ui import controls, formatting, run_names, session
from tl_core.ui.charts import comparing, machine
from tl_core.ui.downloads import download

MOST_VERDICTS = 20
FILTERS = ("Dataset", "Backbone", "Strategy", "State")
METRICS: tuple[Literal["accuracy", "loss"], ...] = ("accuracy", "loss")
LABELS = ("Name", "Tags", "Starred")
"""Columns that are hidden while nobody has given any."""


def table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return every run as a row. Accuracies, with the ends `Low` and `High` of their 95 % intervals, are in 0..1."""
    return pd.DataFrame([_row(run) for run in runs])


def _row(run: Run) -> dict[str, object]:
    dataset, backbone, strategy = formatting.titles_of(run)
    interval = interval_of(run)
    return {
        "Name": run_names.given_to(run),
        "Tags": list(run.tags),
        "State": formatting.state_of(run),
        "Dataset": dataset,
        "Labels": run.spec.dataset.settings.get("labels_per_class"),
        "Backbone": backbone,
        "Strategy": strategy,
        "Accuracy": run.accuracy,
        "Low": interval.low if interval else None,
        "High": interval.high if interval else None,
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


def as_shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as they are read on a page: an accuracy and its interval are one text, which sorts as a number."""
    ends = zip(rows["Low"], rows["High"], strict=True)
    accuracies = [_accuracy(share, Interval(*each)) for share, each in zip(rows["Accuracy"], ends, strict=True)]
    return rows.drop(columns=["Low", "High"]).assign(Accuracy=pd.Series(accuracies, rows.index, dtype=object))


def _accuracy(share: float | None, interval: Interval) -> str | None:
    return None if share is None or pd.isna(share) else formatting.in_column(percent(share, interval))


def _as_file(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(Tags=[", ".join(tags) for tags in rows["Tags"]])


def choose(rows: pd.DataFrame) -> list[str]:
    """Draw the table and return the ids of the rows that are ticked. The URL holds them."""
    ticked = rows.index[rows["Run"].isin(wanted())].tolist()
    shown = as_shown(rows)
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
            "Accuracy": st.column_config.TextColumn(
                help="Share of the test images that were classified correctly, and its 95 % interval (Wilson)."
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
    about = "A CSV file with these runs. Accuracies are shares of 1; the ends of their 95 % intervals have columns of their own."
    download(lambda: _as_file(rows), "runs", "Download the numbers", about)
    chosen = rows.loc[picked.selection.rows, "Run"].tolist()
    if chosen:
        st.query_params[session.RUNS_PARAMETER] = ",".join(chosen)
    elif session.RUNS_PARAMETER in st.query_params and not ticked:
        del st.query_params[session.RUNS_PARAMETER]
    return chosen


def verdicts(chosen: Sequence[Run]) -> None:
    """Write for the first chosen run and each other one a sentence that compares them, with its test."""
    tested = [run for run in chosen if run.accuracy is not None]
    if len(tested) < 2:
        st.caption("Select two or more finished runs to see which is better, and whether the difference is significant.")
        return
    names = formatting.names_apart(chosen)
    first, *others = (controls.contender(run, names[run.id]) for run in tested[: 1 + MOST_VERDICTS])
    for other in others:
        st.markdown(f"- {formatting.plain(comparison.verdict(first, other))}")
    if len(tested) > 1 + MOST_VERDICTS:
        more = f"{len(tested) - 1 - MOST_VERDICTS:,} more runs"
        st.caption(f"{more} are in the table and in the charts. Select fewer to compare them in words.")


def charts(runs: Sequence[Run], chosen: Sequence[Run]) -> None:
    """Draw accuracy against training time of all tested runs, and the chosen runs' curves over each other."""
    tested = [run for run in (chosen or runs) if run.accuracy is not None]
    names = formatting.names_apart(tested)
    points = [point(run, names[run.id]) for run in tested if run.test_digest == tested[0].test_digest]
    if points:
        others = len(tested) - len(points)
        if others:
            left_out = (
                "1 run is left out of this chart: it was"
                if others == 1
                else f"{others} runs are left out of this chart: they were"
            )
            st.caption(f"{left_out} tested on different images.")
        formatting.chart(comparing.accuracy_against_seconds(points), "frontier", "Test accuracy against the seconds of the runs")
    if chosen:
        labels = formatting.names_apart(chosen)
        curves = {run.id: session.events(run, "epoch") for run in chosen}
        metric = st.segmented_control(
            "Curve", METRICS, format_func=str.capitalize, default=METRICS[0], required=True, key="curve_metric"
        )
        formatting.chart(
            comparing.overlaid_curves(curves, labels, metric, session.run_id()),
            "overlaid",
            "Validation curves of the chosen runs",
        )
        used = [(labels[run.id], session.usage(run)) for run in chosen]
        formatting.chart(machine.usage_bars(used), "usage", "GPU energy, CPU time and most memory of the chosen runs")


def point(run: Run, name: str) -> comparison.RunPoint:
    """Return a tested run as a point of accuracy against time."""
    interval = interval_of(run)
    assert interval and run.accuracy is not None and run.seconds is not None  # only tested runs come here
    return comparison.RunPoint(run.id, name, run.spec.strategy.name, run.accuracy, interval.low, interval.high, run.seconds)


def differences(chosen: Sequence[Run]) -> None:
    """Draw a table of the settings in which the chosen runs differ."""
    if len(chosen) > 1:
        st.markdown("**Settings that differ**")
        names = formatting.names_apart(chosen)
        st.dataframe(
            comparison.differences({names[run.id]: run.spec.dotted() for run in chosen}),
            width="stretch",
            alt="Settings that differ",
        )
