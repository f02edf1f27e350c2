"""Tables as files: numbers are apart that a page shows in one column."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import streamlit as st

from tests.pages.test_train import put
from tests.tools.pages import opened
from tl_core.runs import labels
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.ui import comparison, steps


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What makes each file that a page offers, by its name."""
    made: dict[str, Callable[[], bytes]] = {}
    offer: Any = st.download_button

    def offered(label: str, data: Callable[[], bytes], *, file_name: str, **more: Any) -> bool:
        made[file_name] = data
        return bool(offer(label, data, file_name=file_name, **more))

    monkeypatch.setattr(st, "download_button", offered)
    return made


def test_compare_gives_the_ends_of_an_interval_in_columns_of_their_own(files: dict[str, Callable[[], bytes]]) -> None:
    run_id, waiting = put(State.DONE), put(State.QUEUED)
    labels.tag(Store(), run_id, add=["a", "b"])
    app = opened(steps.COMPARE.script)
    shown = app.dataframe[0].value.set_index("Run")
    assert shown.loc[run_id, "Accuracy"].strip("\N{FIGURE SPACE}") == "75 % (30\N{EN DASH}95)"
    assert not {"Low", "High"} & set(shown.columns)
    table = pd.read_csv(io.BytesIO(files["runs.csv"]())).set_index("Run")
    assert table.loc[run_id, ["Accuracy", "Low", "High"]].tolist() == pytest.approx([0.75, 0.301, 0.954], abs=1e-3)
    assert table.loc[run_id, "Tags"] == "a, b"
    assert table.loc[waiting, ["Accuracy", "Low", "High"]].isna().all()
    kept = pd.read_parquet(io.BytesIO(files["runs.parquet"]())).set_index("Run")
    assert kept[["Low", "High"]].equals(table[["Low", "High"]])


def test_the_classes_are_a_file_of_numbers(finished: str, files: dict[str, Callable[[], bytes]]) -> None:
    opened(steps.RESULT.script, run=finished)
    table = pd.read_csv(io.BytesIO(files[f"classes_{finished}.csv"]()))
    assert {"recall", "recall_low", "recall_high", "precision"} <= set(table.columns)
    assert table[["recall_low", "recall", "recall_high"]].apply(lambda row: row.is_monotonic_increasing, axis=1).all()
    assert table["recall"].between(0, 1).all()
    assert f"confusion_{finished}.csv" in files


def test_no_runs_are_a_table_without_rows() -> None:
    put(State.DONE)
    rows = comparison.table(Store().runs())
    assert comparison.as_shown(rows.iloc[:0]).empty
