"""What a label says: the class of an example, or a number. How labels are read, what there must be of them, and by what examples
are shared out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tl_core.data.class_names import alike
from tl_core.data.examples import Labels
from tl_core.data.formats.columns import Columns, is_filled, no_classes, no_numbers
from tl_core.data.formats.tables import classes_of, plain
from tl_core.data.splitting import Indices, hold_out_groups
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind, sentences

if TYPE_CHECKING:
    import pandas as pd

LEAST_NUMBERS = 10
"""Fewer examples cannot be shared out and still say anything."""
MOST_BINS, LEAST_IN_BIN = 10, 20
BETWEEN = "|"
"""What stands between several labels of one example."""


class LabelKind(ABC):
    """What the labels of a dataset are. Names are those of the outputs that a model has for them."""

    title: ClassVar[str]
    """What a label is, in sentences."""
    drawn_from: ClassVar[str] = ""
    """Of what so many labels are drawn where only some may be used, in a few words; empty where it is all of them."""

    single: ClassVar[bool] = True
    """Whether an example has one label, and not any number of them."""
    stratum: ClassVar[str] = "class"
    """What one of its `strata` is called."""
    strata_named: ClassVar[str] = "classes"
    """What several of them are called."""
    lacking_notes: ClassVar[tuple[NoteKind, NoteKind]] = (NoteKind.CLASSES_WITHOUT_TRAINING, NoteKind.CLASSES_WITHOUT_TEST)
    """What tells of those that no training example has, and of those that no test example has."""
    not_here: ClassVar[NoteKind] = NoteKind.CLASSES_NOT_HERE
    """What tells of those that a model knows and no example has which it is tested on."""

    @abstractmethod
    def texts(self, n: int) -> list[str]:
        """Return `n` labels as they may stand in a column, for the contract tests; they are not all alike."""

    @abstractmethod
    def misfit(self, values: "pd.Series[str]") -> Note | None:
        """Return why a column cannot hold such labels, as `columns.Misfit` does; None where it can."""

    def is_given(self, values: "pd.Series[str]") -> NDArray[np.bool_]:
        """Return which rows (n,) of a column have a label."""
        return is_filled(values)

    def column(
        self, columns: Columns, wanted: str | None, usual: Sequence[str], free: NDArray[np.bool_], notes: list[Note]
    ) -> "pd.Series[str]":
        """Return the labels of a table as one column. Raises `DataError`.

        Args:
            columns: Those of the table.
            wanted: What the column is called; None looks for one.
            usual: What it may be called.
            free: Which rows (n,) need no label.
            notes: Gets what a user should know.
        """
        return columns.require(wanted, usual, "labels", self.misfit)

    @abstractmethod
    def read(self, used: "pd.Series[str]") -> tuple[tuple[str, ...], NDArray[Any]]:
        """Return the names of the outputs, and the label of each row (n, ...), of the `used` rows of a column, which all have a
        label. Raises `DataError` for what is no such label."""

    def about_column(self, labels: "pd.Series[str]", used: "pd.Series[str]") -> list[Note]:
        """Return notes on the `labels` of all rows, of which some are `used`."""
        return []

    def about_names(self, names: Sequence[str]) -> list[Note]:
        """Return notes on the names of the outputs."""
        return []

    @abstractmethod
    def require_enough(self, names: Sequence[str], labels: NDArray[Any], next_step: str = "", notes: Sequence[Note] = ()) -> None:
        """Raise `DataError` where nothing can be learned from training examples with these `labels`. It tells the `notes` on what
        was left out, and the `next_step`, where it knows no better one."""

    @abstractmethod
    def strata(self, names: Sequence[str], labels: NDArray[Any], whole: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[Any]]:
        """Return groups of which a split keeps the shares, by their names, and the group of each of the `labels` (n,), int64; or
        of which groups each is, bool (n, groups), where that is any number. `whole` are the labels that decide the groups."""

    def hold_out(
        self, names: Sequence[str], labels: NDArray[Any], groups: Sequence[bytes], share: float, split: str, *, seed: int = 0
    ) -> tuple[Indices, Indices]:
        """Return indices that stay and indices held out, of whole groups, as `hold_out_groups` does. Raises `DataError`.

        Args:
            names: Those of the outputs.
            labels: Those of the examples (n, ...).
            groups: The name of the group of each example (n,).
            share: Of each of the `strata` to hold out, 0..1.
            split: What the examples are held out for.
            seed: Of the draw.
        """
        strata, codes = self.strata(names, labels, labels)
        return hold_out_groups(codes, groups, share, strata, split, seed=seed)

    @abstractmethod
    def drawn_within(self, labels: NDArray[Any]) -> Labels:
        """Return the group of each label (n,) of which so many are drawn where only some labels may be used."""

    def lacking(self, names: Sequence[str], labels: NDArray[Any]) -> list[str]:
        """Return the names of the classes that no label has."""
        return []

    def placed(self, labels: NDArray[Any], places: Sequence[int | None], count: int) -> NDArray[Any]:
        """Return `labels` as those of a model of `count` classes, whose place for each of theirs is in `places`; None is where no
        label is of that class."""
        return labels


@dataclass(frozen=True)
class ClassLabels(LabelKind):
    """The index of one of several classes, int64 (n,)."""

    title: ClassVar[str] = "classes"
    drawn_from: ClassVar[str] = "a class"

    def texts(self, n: int) -> list[str]:
        return [f"class {index % 3}" for index in range(n)]

    def misfit(self, values: "pd.Series[str]") -> Note | None:
        return no_classes(values)

    def read(self, used: "pd.Series[str]") -> tuple[tuple[str, ...], NDArray[Any]]:
        return classes_of(used)

    def about_column(self, labels: "pd.Series[str]", used: "pd.Series[str]") -> list[Note]:
        """Return notes on classes without a `used` row, on labels that are one class though written in two ways, and on those
        that look like several labels of one example."""
        notes, there = list[Note](), plain(used)
        if gone := sorted(set(plain(labels[is_filled(labels)])) - set(there)):
            notes.append(Note.counting(NoteKind.CLASSES_WITHOUT_ROWS, [printable(name) for name in gone]))
        if twice := used.str.strip().nunique() - there.nunique():
            notes.append(Note(NoteKind.LABELS_JOINED, (twice,)))
        if parted := int(there.str.contains(BETWEEN, regex=False).sum()):
            notes.append(Note(NoteKind.LABELS_OF_PARTS, (parted,)))
        return notes

    def about_names(self, names: Sequence[str]) -> list[Note]:
        return alike(names)

    def require_enough(self, names: Sequence[str], labels: NDArray[Any], next_step: str = "", notes: Sequence[Note] = ()) -> None:
        """Raise `DataError` unless the labels are of two classes at least."""
        there = [name for label, name in enumerate(names) if label in set(np.unique(labels).tolist())]
        if len(there) < 2:
            what = f"A classifier needs at least two classes to learn from, and there is {'only one' if there else 'none'} here."
            raise DataError(
                " ".join([what, *sentences(notes)]),
                next_step or "Add examples of another class.",
                received=", ".join(there) or "no class",
            )

    def strata(self, names: Sequence[str], labels: NDArray[Any], whole: NDArray[Any]) -> tuple[tuple[str, ...], Labels]:
        return tuple(names), labels

    def drawn_within(self, labels: NDArray[Any]) -> Labels:
        return labels

    def lacking(self, names: Sequence[str], labels: NDArray[Any]) -> list[str]:
        counts = np.bincount(labels, minlength=len(names))
        return [name for name, count in zip(names, counts, strict=True) if not count]

    def placed(self, labels: NDArray[Any], places: Sequence[int | None], count: int) -> Labels:
        return np.array([0 if place is None else place for place in places], np.int64)[labels]


@dataclass(frozen=True)
class NumberLabels(LabelKind):
    """A number, float64 (n,). There is one output, which has the name of the column."""

    title: ClassVar[str] = "a number"
    stratum: ClassVar[str] = "range"
    strata_named: ClassVar[str] = "ranges"

    def texts(self, n: int) -> list[str]:
        return [f"{100 + 7.5 * (index % 5)}" for index in range(n)]

    def misfit(self, values: "pd.Series[str]") -> Note | None:
        return no_numbers(values)

    def read(self, used: "pd.Series[str]") -> tuple[tuple[str, ...], NDArray[Any]]:
        import pandas as pd

        column = printable(str(used.name))
        numbers = pd.to_numeric(used.str.strip(), errors="coerce").to_numpy(np.float64)
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            raise DataError(
                f"The column {column} is to be predicted as a number, and {len(wrong):,} of its {len(used):,} values are none.",
                "Write each as a number such as 12.5, name another column, or choose the task classification.",
                received=printable(used.iloc[wrong[0]].strip()[:40]),
            )
        if len(numbers) < LEAST_NUMBERS:
            raise DataError(
                f"To predict a number takes at least {LEAST_NUMBERS} examples: some to learn from, and some for the test.",
                "Add rows.",
                received=f"{len(numbers)} with a number",
            )
        return (column,), numbers

    def require_enough(self, names: Sequence[str], labels: NDArray[Any], next_step: str = "", notes: Sequence[Note] = ()) -> None:
        """Raise `DataError` unless there are two different numbers."""
        if len(different := np.unique(labels)) < 2:
            raise DataError(
                " ".join([f"All training examples have the same {names[0]}, so there is nothing to predict.", *sentences(notes)]),
                "Name another column, or use more labels.",
                received=f"{different[0]:g} for {len(labels):,} examples" if len(different) else "no example",
            )

    def strata(self, names: Sequence[str], labels: NDArray[Any], whole: NDArray[Any]) -> tuple[tuple[str, ...], Labels]:
        """Return bins between quantiles of the `whole`, as scikit-learn's KBinsDiscretizer has them: ten of about the same size,
        or fewer, so that each has twenty examples."""
        bins = max(1, min(MOST_BINS, len(whole) // LEAST_IN_BIN))
        edges = np.unique(np.quantile(whole, np.linspace(0, 1, bins + 1)[1:-1])) if len(whole) else np.zeros(0)
        return tuple(_bin_names(edges)), np.searchsorted(edges, labels, side="right").astype(np.int64)

    def drawn_within(self, labels: NDArray[Any]) -> Labels:
        return np.zeros(len(labels), np.int64)


def _bin_names(edges: NDArray[np.float64]) -> Iterator[str]:
    """Yield a name for each bin between the `edges`."""
    if not len(edges):
        yield "all"
        return
    yield f"below {edges[0]:.4g}"
    yield from (f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))
    yield f"{edges[-1]:.4g} and above"


CLASSES, NUMBERS = ClassLabels(), NumberLabels()
