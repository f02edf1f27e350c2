"""What sources that read a table have in common: columns for splits and groups, and how its rows become splits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.datasets import Data, Examples
from tl_core.datasets.examples import Labels
from tl_core.datasets.own import OwnDataset
from tl_core.datasets.tables import classes_of, column, read_table, rows_of, split_of
from tl_core.errors import DataError, printable
from tl_core.settings import ServerPath

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("label", "class", "target", "category", "sentiment", "y")
SPLITS, GROUPS = ("split", "set", "subset", "fold"), ("group", "patient", "subject", "author")


class TableSource(OwnDataset):
    """A table at `path` with a row for each example."""

    path: ServerPath | None = None

    split_column: str | None = Field(
        None, title="Split column", description="Empty finds a column such as split.", json_schema_extra={"more": True}
    )
    group_column: str | None = Field(
        None,
        title="Group column",
        description="Rows of one group stay together; empty finds a column such as group or patient.",
        json_schema_extra={"more": True},
    )

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a table yet to be chosen"

    def table(self) -> "pd.DataFrame":
        """All of it, as text. Raises `DataError`."""
        if self.path is None:
            raise DataError("No table is chosen yet.", "Give its file as dataset.path.")
        return read_table(self.path)

    def aside(self, frame: "pd.DataFrame") -> "tuple[pd.Series[str] | None, pd.Series[str] | None]":
        """The columns of the splits and of the groups, where there are any. Raises `DataError`."""
        return column(frame, self.split_column, SPLITS, "splits"), column(frame, self.group_column, GROUPS, "groups")

    def shared_out(
        self,
        frame: "pd.DataFrame",
        rows: NDArray[np.intp],
        labels: "pd.Series[str]",
        make: Callable[[Labels], Examples],
        notes: list[str],
    ) -> Data[Any]:
        """The dataset of the `rows` of the table that are used. `make` gives their examples by the class of each. Raises
        `DataError`."""
        names, codes = classes_of(labels.iloc[rows])
        splits, groups = (None if each is None else each.iloc[rows] for each in self.aside(frame))
        examples, parts = make(codes), rows_of(split_of(splits, len(rows)))
        if groups is not None:
            named = [str(group).strip().encode() for group in groups]
            ids = examples.ids if not all(named) else ()
            of_group = [name or ids[row] for row, name in enumerate(named)]  # who is in no group is alone
            examples = examples.grouped(of_group)
            notes += _torn(parts, of_group)
        return self.divided(names, {split: examples.take(part) for split, part in parts.items()}, notes)


def said(values: "pd.Series[str]") -> NDArray[np.bool_]:
    """Which values (n,) are more than white space."""
    return (values.str.strip() != "").to_numpy(bool)


def _torn(parts: dict[str, np.ndarray], groups: list[bytes]) -> list[str]:
    """A sentence about groups of which the table itself puts some into train and some into another split."""
    trained = {groups[row] for row in parts["train"]}
    torn = {groups[row] for split, rows in parts.items() if split != "train" for row in rows} & trained
    if not torn:
        return []
    return [f"{len(torn):,} groups are both in train and in another split of the table: what is learned of them is asked again."]
