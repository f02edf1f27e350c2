"""A column that is there by its name, and yet is none: the reason that is told is the true one."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.datasets.test_csv_manifest import load, table  # noqa: F401  # a fixture
from tl_core.errors import DataError


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ({"split_column": "label"}, r"holds the labels: label is used for something else\."),
        ({"group_column": "path"}, r"holds the paths of the images: path is used for something else\."),
        ({"label_column": "path"}, r"holds the paths of the images: path is used for something else\."),
    ],
)
def test_a_column_that_was_named_for_something_else(
    table: pd.DataFrame,  # noqa: F811
    tmp_path: Path,
    setting: dict[str, str],
    what: str,
) -> None:
    with pytest.raises(DataError, match=what):
        load(table, tmp_path, **setting)


@pytest.mark.parametrize("value", [b"caf\xe9", [1, 2], {"a": 1}, np.zeros(2)])
def test_a_column_of_other_values_than_text_and_numbers(table: pd.DataFrame, tmp_path: Path, value: Any) -> None:  # noqa: F811
    table["label"] = [value] * len(table)
    with pytest.raises(DataError, match=r"holds the labels: label has values that are neither text nor numbers\."):
        load(table, tmp_path, "parquet")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_that_is_not_there(table: pd.DataFrame, tmp_path: Path, ending: str) -> None:  # noqa: F811
    with pytest.raises(DataError, match=r"holds the labels: none is called label, class"):
        load(table.drop(columns="label"), tmp_path, ending)
