"""Several labels of one example: any number of names, or none. How they are read of one column or of several, and shared out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.class_names import printable_names
from tl_core.data.examples import Labels
from tl_core.data.formats.columns import Columns, different_values, empty, is_filled, one_value
from tl_core.data.formats.tables import plain
from tl_core.data.label_kinds import BETWEEN, LabelKind
from tl_core.data.splitting import Indices
from tl_core.data.stratification import hold_out_labels
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind, sentences

if TYPE_CHECKING:
    import pandas as pd

USUAL = ("labels", "classes", "tags")
ONE, ZERO = frozenset({"1", "1.0", "true"}), frozenset({"0", "0.0", "false"})
MOST_LABELS = 1000


@dataclass(frozen=True)
class MultiLabels(LabelKind):
    """Which of several labels an example has, bool (n, labels): one, several or none of them.

    They are in one column, with | between them, or in several columns of 0 and 1, whose names are the labels: those that are
    wanted, with | between their names, or where no column has a usual name all that hold nothing but 0 and 1.
    """

    title: ClassVar[str] = "sets of labels"
    single: ClassVar[bool] = False
    stratum: ClassVar[str] = "label"
    strata_named: ClassVar[str] = "labels"
    lacking_notes: ClassVar[tuple[NoteKind, NoteKind]] = (NoteKind.LABELS_WITHOUT_TRAINING, NoteKind.LABELS_WITHOUT_TEST)
    not_here: ClassVar[NoteKind] = NoteKind.LABELS_NOT_HERE

    def texts(self, n: int) -> list[str]:
        return [
            BETWEEN.join(name for place, name in enumerate(("sky", "sea", "sand")) if index >> place & 1) for index in range(n)
        ]

    def misfit(self, values: "pd.Series[str]") -> Note | None:
        """Return why a column cannot hold sets of labels: it is empty, has one label alone, or none of them twice."""
        filled = values[is_filled(values)]
        counts = Counter(name for value in filled for name in parts_of(value))
        if not counts:
            return empty(filled[:0])
        return one_value(filled) if len(counts) < 2 else different_values(len(counts)) if max(counts.values()) < 2 else None

    def is_given(self, values: "pd.Series[str]") -> NDArray[np.bool_]:
        """Return that all have a label: a blank one is that of an example which has none of them."""
        return np.ones(len(values), bool)

    def column(
        self, columns: Columns, wanted: str | None, usual: Sequence[str], free: NDArray[np.bool_], notes: list[Note]
    ) -> "pd.Series[str]":
        several, usual = [name.strip() for name in (wanted or "").split(BETWEEN)], (*usual, *USUAL)
        if wanted is None:
            found = columns.find(None, usual, "labels", self.misfit)
            if found is not None:
                return _tidied(found, notes)
            several = columns.unused(_holds_ones_and_zeros)
        if len(several) < 2 or wanted in columns.frame.columns:
            return _tidied(columns.require(wanted, usual, "labels", self.misfit), notes)
        return _joined([columns.require(name, (), "labels") for name in several], free, notes)

    def read(self, used: "pd.Series[str]") -> tuple[tuple[str, ...], NDArray[Any]]:
        rows = [parts_of(value) for value in used]
        found = sorted({name for row in rows for name in row})
        if len(found) < 2:
            raise DataError(
                f"To tell several labels takes two at least, and there is {'only one' if found else 'none'} here.",
                f"Write them with {BETWEEN} between them, or choose the task classification, for which having a label and not "
                "having it are two classes.",
                received=printable(found[0]) if found else f"{len(used):,} rows without any",
            )
        if len(found) > MOST_LABELS:
            raise DataError(
                f"There are more than {MOST_LABELS:,} different labels.",
                f"Name another column; labels of one example have {BETWEEN} between them.",
                received=f"{len(found):,} labels, such as {printable(found[0])[:40]}",
            )
        places = {name: place for place, name in enumerate(found)}
        labels = np.zeros((len(rows), len(found)), bool)
        for index, row in enumerate(rows):
            labels[index, [places[name] for name in row]] = True
        return printable_names(found), labels

    def about_column(self, labels: "pd.Series[str]", used: "pd.Series[str]") -> list[Note]:
        """Return notes on labels without a `used` row, and on rows that have none."""
        there, everywhere = ({name for value in each.unique() for name in parts_of(value)} for each in (used, labels))
        notes = []
        if gone := sorted(everywhere - there):
            notes.append(Note.counting(NoteKind.LABELS_WITHOUT_ROWS, [printable(name) for name in gone]))
        if none := int((~is_filled(used)).sum()):
            notes.append(Note(NoteKind.ROWS_OF_NO_LABEL, (none,)))
        return notes

    def require_enough(self, names: Sequence[str], labels: NDArray[Any], next_step: str = "", notes: Sequence[Note] = ()) -> None:
        """Raise `DataError` unless some training examples have a label that others lack."""
        if not (labels.any(axis=0) & ~labels.all(axis=0)).any():
            what = "No training example has a label that another one lacks, so there is nothing to tell apart."
            raise DataError(
                " ".join([what, *sentences(notes)]),
                "Add examples with other labels, or use more of them.",
                received=f"{len(labels):,} with {', '.join(np.array(names)[labels.any(axis=0)][:3]) or 'no label'}",
            )

    def strata(self, names: Sequence[str], labels: NDArray[Any], whole: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[Any]]:
        return tuple(names), labels

    def hold_out(
        self, names: Sequence[str], labels: NDArray[Any], groups: Sequence[bytes], share: float, split: str, *, seed: int = 0
    ) -> tuple[Indices, Indices]:
        return hold_out_labels(labels, groups, share, seed=seed)

    def drawn_within(self, labels: NDArray[Any]) -> Labels:
        return np.zeros(len(labels), np.int64)

    def lacking(self, names: Sequence[str], labels: NDArray[Any]) -> list[str]:
        return [names[label] for label in np.flatnonzero(~labels.any(axis=0)).tolist()]

    def placed(self, labels: NDArray[Any], places: Sequence[int | None], count: int) -> NDArray[np.bool_]:
        found = np.zeros((len(labels), count), bool)
        for given, place in enumerate(places):
            if place is not None:
                found[:, place] |= labels[:, given]
        return found


def parts_of(value: str) -> list[str]:
    """Return the labels in `value`, without white space around them, each once, sorted."""
    return sorted({part.strip() for part in value.split(BETWEEN)} - {""})


def _tidied(values: "pd.Series[str]", notes: list[Note]) -> "pd.Series[str]":
    """Return labels as they are compared. Rows that name a label twice, or leave a place between two of them blank, are told."""
    compared = plain(values)
    tidy = compared.map({value: BETWEEN.join(parts_of(value)) for value in compared.unique()})
    untidy = compared.str.count(f"[{BETWEEN}]") != tidy.str.count(f"[{BETWEEN}]")
    if untidy.any():
        notes.append(Note(NoteKind.LABELS_TIDIED, (int(untidy.sum()),)))
    return tidy


def _holds_ones_and_zeros(values: "pd.Series[str]") -> bool:
    words = values[is_filled(values)].str.strip().str.lower()
    return bool(len(words)) and bool(words.isin(ONE | ZERO).all())


def _joined(columns: "Sequence[pd.Series[str]]", free: NDArray[np.bool_], notes: list[Note]) -> "pd.Series[str]":
    """Return, for each row, the names of the `columns` in which it has a 1. Raises `DataError` for what is neither 1 nor 0 in a
    row that is not `free` of labels."""
    import pandas as pd

    found = [""] * len(free)
    for column in columns:
        name, words = str(column.name), column.str.strip().str.lower()
        if BETWEEN in name:
            what = f"The column {printable(name)} has a {BETWEEN} in its name, which stands between labels."
            raise DataError(what, "Call it otherwise.", received=printable(name))
        ones = words.isin(ONE).to_numpy(bool)
        if (wrong := np.flatnonzero(~ones & ~words.isin(ZERO).to_numpy(bool) & ~free)).size:
            raise DataError(
                f"The column {printable(name)} is to say 0 or 1, and {wrong.size:,} of its {len(free):,} values are neither.",
                f"Write 1 for examples with this label and 0 for others, or name the other columns with {BETWEEN} between them.",
                received=printable(column.iloc[wrong[0]].strip()[:40]) or "nothing",
            )
        if not ones.any():
            notes.append(Note(NoteKind.COLUMN_OF_ONE_VALUE, (1,), ("0",), (printable(name), "labels")))
        for row in np.flatnonzero(ones):
            found[row] += f"{BETWEEN}{name}"
    return _tidied(pd.Series([value.removeprefix(BETWEEN) for value in found], columns[0].index, name="labels"), [])


MULTI_LABELS = MultiLabels()
