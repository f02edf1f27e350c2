"""Columns of a table, found by what they are for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.data.formats.parquet import UNREAD
from tl_core.data.formats.tables import plain
from tl_core.data.split_names import SPLITS
from tl_core.errors import DataError, printable
from tl_core.notes import MOST_NAMED, Note, NoteKind

if TYPE_CHECKING:
    import pandas as pd

NONE = "none"
"""What to name as a column that may be missing, so that none is looked for."""
SHOWN_COLUMNS, LONGEST_VALUE = 12, 40

Misfit = Callable[["pd.Series[str]"], Note | None]
"""Returns why a column, which the note does not name yet, cannot be what its own name suggests; None where it can."""


def is_filled(values: "pd.Series[str]") -> NDArray[np.bool_]:
    """Return which values (n,) are more than white space."""
    return (values.str.strip() != "").to_numpy(bool)


def empty(values: "pd.Series[str]") -> Note | None:
    """Return that the column says nothing; None where it holds any value."""
    return None if is_filled(values).any() else Note(NoteKind.COLUMN_EMPTY)


def no_classes(values: "pd.Series[str]") -> Note | None:
    """Return why the column holds no labels of several classes; None where it does."""
    labels = plain(values[is_filled(values)])
    if (classes := labels.nunique()) < 2:
        return one_value(labels)
    return different_values(classes) if classes == len(labels) else None


def one_value(values: "pd.Series[str]") -> Note:
    """Return that the column says the same everywhere."""
    return _holding(NoteKind.COLUMN_OF_ONE_VALUE, values)


def different_values(count: int) -> Note:
    """Return that none of its so many values comes twice."""
    return Note(NoteKind.COLUMN_OF_DIFFERENT_VALUES, (count,))


def no_numbers(values: "pd.Series[str]") -> Note | None:
    """Return why the column holds no numbers: not one of its values is any, or all are the same; None where it does. One that
    holds some is a column of numbers, with mistakes."""
    import pandas as pd

    filled = plain(values[is_filled(values)])
    if not len(filled):
        return empty(values)
    if filled.nunique() < 2:
        return one_value(filled)
    return None if pd.to_numeric(filled, errors="coerce").notna().any() else _holding(NoteKind.COLUMN_WITHOUT_NUMBERS, filled)


def no_splits(values: "pd.Series[str]") -> Note | None:
    """Return why the column holds no splits: not one of its words names any. One that does is a split column, with mistakes."""
    words = plain(values[is_filled(values)])
    if words.str.lower().isin(SPLITS).any():
        return None
    return _holding(NoteKind.COLUMN_WITHOUT_SPLITS, words) if len(words) else empty(values)


def one_group(values: "pd.Series[str]") -> Note | None:
    """Return why the column tells no groups apart; None where it does."""
    groups = plain(values)
    return one_value(groups) if groups.nunique() < 2 and is_filled(groups).any() else empty(groups)


def _holding(kind: NoteKind, values: "pd.Series[str]") -> Note:
    """Return a note on the different values of a column."""
    different = values.drop_duplicates()
    return Note(kind, (len(different),), tuple(printable(value[:LONGEST_VALUE]) for value in different.head(MOST_NAMED)))


class Columns:
    """The columns of a table, each for one purpose.

    One that somebody `named` is taken as it is. One that is found by a usual name must be able to be what it is called, and is
    otherwise left alone, with a note.
    """

    def __init__(self, frame: "pd.DataFrame", named: Iterable[str | None], notes: list[Note]) -> None:
        self.frame, self.used = frame, {name for name in named if name is not None}
        self._notes = notes

    def find(self, wanted: str | None, usual: Sequence[str], what: str, misfit: Misfit = empty) -> "pd.Series[str] | None":
        """Return the column called `wanted`, or the first of the `usual` names, in upper or lower case, that fits; None where
        there is no such column, or `wanted` is "none". Raises `DataError` where there is no column `wanted`."""
        if wanted == NONE:
            return None
        if wanted is not None:
            return self._named(wanted, what)
        found, notes = self._fitting(self._called(usual), what, misfit)
        self._notes += notes
        return found

    def require(self, wanted: str | None, usual: Sequence[str], what: str, misfit: Misfit = empty) -> "pd.Series[str]":
        """Return the column as `find` does, and the first of the `usual` names where none fits: what is wrong with it is said by
        who reads it. Raises `DataError` where there is none."""
        if wanted is not None:
            return self._named(wanted, what)
        called = self._called(usual)
        if not called:
            raise self._no_column(f"No column holds the {what}: {self._why_none(usual)}.")
        found, notes = self._fitting(called, what, misfit)
        if found is None:
            return self._use(called[0])
        self._notes += notes
        return found

    def unused(self, fits: Callable[["pd.Series[str]"], bool]) -> list[str]:
        """Return the columns that are used for nothing yet and of which `fits` is true."""
        return [name for name in self.others() if fits(self.frame[name])]

    def others(self) -> "pd.DataFrame":
        """Return the columns that are used for nothing."""
        return self.frame[[name for name in self.frame.columns if name not in self.used]]

    def _why_none(self, usual: Sequence[str]) -> str:
        """Return why no column can be found by the `usual` names."""
        if taken := [printable(name) for name in self.frame.columns if name in self.used and name.lower() in usual]:
            return f"{', '.join(taken)} is used for something else"
        if unread := [printable(name) for name in self.frame.attrs.get(UNREAD, ()) if name.lower() in usual]:
            return f"{', '.join(unread)} has values that are neither text nor numbers"
        return f"none is called {', '.join(usual)}"

    def _fitting(self, called: list[str], what: str, misfit: Misfit) -> "tuple[pd.Series[str] | None, list[Note]]":
        """Return the first column among `called` that fits, and why those before it do not."""
        notes = list[Note]()
        for name in called:
            if not (reason := misfit(self.frame[name])):
                return self._use(name), notes
            notes.append(replace(reason, about=(printable(name), what)))
        return None, notes

    def _called(self, usual: Sequence[str]) -> list[str]:
        """Return the columns of these names that are used for nothing yet."""
        by_name = {name.lower(): name for name in reversed(self.frame.columns) if name not in self.used}
        return [by_name[name] for name in usual if name in by_name]

    def _named(self, wanted: str, what: str) -> "pd.Series[str]":
        if wanted not in self.frame.columns:
            raise self._no_column(f"There is no column {wanted!r} for the {what}.")
        return self._use(wanted)

    def _use(self, name: str) -> "pd.Series[str]":
        self.used.add(name)
        return self.frame[name]

    def _no_column(self, what: str) -> DataError:
        names = [printable(name) for name in self.frame.columns]
        more = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
        return DataError(what, f"Name one of these: {', '.join(names[:SHOWN_COLUMNS])}{more}.", received=f"{len(names)} columns")
