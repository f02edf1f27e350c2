"""What sources that read a table have in common: columns for splits and groups, and how its rows become splits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.data.formats.columns import Columns, no_splits, one_group
from tl_core.data.formats.tables import plain, read_table, rows_of, split_of
from tl_core.data.split_names import EXTRA, UNLABELLED
from tl_core.datasets import Examples
from tl_core.datasets._user_data import Given, UserDataset
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("label", "class", "target", "category", "sentiment", "y")
SPLIT_NAMES, GROUP_NAMES = ("split", "set", "subset", "fold"), ("group", "patient", "subject", "author")


class Aside(NamedTuple):
    """The columns that share out the rows, where there are any, and all columns, of which some will be left."""

    splits: "pd.Series[str] | None"
    groups: "pd.Series[str] | None"
    columns: Columns

    def needing_none(self, rows: int) -> NDArray[np.bool_]:
        """Return which of so many rows need no label (n,): those of that split."""
        if self.splits is None:
            return np.zeros(rows, bool)
        return (self.splits.str.strip().str.lower().map(EXTRA) == UNLABELLED).to_numpy(bool)


class TableSource(UserDataset):
    """A table at `path` with a row for each example."""

    second_class: ClassVar[str] = "Add rows of another class, or name another column of labels."

    path: ServerPath | None = None

    split_column: str | None = Field(
        None,
        title="Split column",
        description="Empty finds a column such as split; none uses no such column.",
        json_schema_extra={"more": True},
    )
    group_column: str | None = Field(
        None,
        title="Group column",
        description="Rows of one group stay together; empty finds a column such as group or patient, none uses no such column.",
        json_schema_extra={"more": True},
    )

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a table yet to be chosen"

    def columns(self, notes: list[Note]) -> Columns:
        """Return the columns of the table, all values as text. `notes` get what is to be said of them. Raises `DataError`."""
        if self.path is None:
            raise DataError("No table is chosen yet.", "Give its file as dataset.path.")
        named = (getattr(self, name) for name in type(self).model_fields if name.endswith("_column"))
        return Columns(read_table(self.path), named, notes)

    def labels(self, columns: Columns, wanted: str | None, aside: Aside, notes: list[Note]) -> "pd.Series[str]":
        """Return the label of each row, as text, blank where it needs none: of the column that is `wanted`, or found. `notes` get
        what a user should know. Raises `DataError`."""
        free = aside.needing_none(len(columns.frame))
        return self.label_kind.column(columns, wanted, LABELS, free, notes).mask(free, "")

    def aside(self, columns: Columns) -> Aside:
        """Return the columns of the splits and of the groups, where there are any. Raises `DataError`."""
        splits = columns.find(self.split_column, SPLIT_NAMES, "splits", no_splits)
        groups = columns.find(self.group_column, GROUP_NAMES, "groups", one_group)
        return Aside(splits, groups, columns)

    def split(
        self,
        labels: "pd.Series[str]",
        aside: Aside,
        rows: NDArray[np.intp],
        make: Callable[[NDArray[Any]], Examples],
        notes: list[Note],
    ) -> Given:
        """Return the used `rows` of the table, in its splits. Raises `DataError`.

        Args:
            labels: The label of each row of the table, as text.
            aside: The table's columns of splits and of groups, each None where there is none.
            rows: The places of the rows that are used (n,).
            make: Makes the examples (n,) of the used rows, given the label of each (n, ...).
            notes: Gets what a user should know.
        """
        splits, groups = (None if each is None else each.iloc[rows] for each in (aside.splits, aside.groups))
        parts = rows_of(split_of(splits, len(rows)))
        labelled = np.ones(len(rows), bool)
        labelled[parts.get(UNLABELLED, [])] = False
        used = labels.iloc[rows[labelled]]
        names, read = self.label_kind.read(used)
        notes += self.label_kind.about_column(labels, used)
        codes = np.zeros((len(rows), *read.shape[1:]), read.dtype)
        codes[labelled] = read
        examples = make(codes)
        examples.__dict__["rows"] = rows
        if groups is not None:
            named = [group.encode() for group in plain(groups)]
            ids = examples.ids if not all(named) else ()
            of_group = [name or ids[row] for row, name in enumerate(named)]  # who is in no group is alone
            examples = examples.grouped(of_group)
            notes += _torn(parts, of_group)
        given = {split: examples.take(part) for split, part in parts.items()}
        told = {split: each.unlabelled() if split == UNLABELLED else each for split, each in given.items()}
        return Given(names, told, notes, aside.columns.others())


def _torn(parts: dict[str, np.ndarray], groups: list[bytes]) -> list[Note]:
    """Return a note on groups of which the table itself puts some into train and some into another split."""
    trained = {groups[row] for row in parts["train"]}
    torn = {groups[row] for split, rows in parts.items() if split in {"validation", "test"} for row in rows} & trained
    return [Note(NoteKind.GROUPS_ACROSS_SPLITS, (len(torn),))] if torn else []
