"""Labelled examples of any kind: pictures, texts, rows of a table."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
PlainLabel = int | float | tuple[int, ...]
"""The index of a class, a number, or the places of the labels that an example has."""


def plain_label(label: Any) -> PlainLabel:
    """Return one label as a plain value: a NumPy number, or which of several labels an example has, bool (labels,)."""
    return tuple(np.flatnonzero(label).tolist()) if np.ndim(label) else label.item()


def label_text(label: PlainLabel, names: Sequence[str]) -> str:
    """Return a label as people read it; `names` are those of the classes, or of the labels."""
    if isinstance(label, tuple):
        return ", ".join(names[each] for each in label) or "none"
    return names[label] if isinstance(label, int) else f"{label:.10g}"


class Modality(StrEnum):
    """What an example is."""

    IMAGES = "images"
    TEXTS = "texts"
    TABLE = "a table"


class Examples(ABC):
    """A sequence of examples, and the label of each in `labels` (n, ...), where they are labelled: a class index, unless they are
    of another `LabelKind`."""

    is_labelled: ClassVar[bool] = True
    labels: NDArray[Any]
    groups: tuple[bytes, ...] | None = None
    """What each belongs to (n,), such as a patient, by name; None where nothing is known of that."""
    rows: NDArray[np.intp] | None = None
    """The row of a table that each is of (n,); None where there is no table."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | NDArray[np.intp]) -> Self:
        """Return the examples at `indices`, in that order. What is known of their content need not be read again."""
        chosen = np.asarray(indices, dtype=np.intp)
        taken = self._take(chosen)
        self._tell(taken, chosen)
        return taken

    def unlabelled(self) -> "Examples":
        """Return the same examples without their labels. Raises `TypeError` where this kind of examples cannot be without."""
        raise TypeError(f"{type(self).__name__} cannot be without labels")

    def _tell(self, others: "Examples", chosen: NDArray[np.intp]) -> None:
        """Pass on to the `others`, those at `chosen`, what is known of their content, their groups and their rows."""
        for name in ("ids", "groups"):
            if (known := self.__dict__.get(name)) is not None:
                others.__dict__[name] = tuple(known[index] for index in chosen)
        if self.rows is not None:
            others.__dict__["rows"] = self.rows[chosen]

    def grouped(self, groups: Sequence[bytes]) -> Self:
        """Return the same examples with the name of the group of each in `groups` (n,)."""
        same = self.take(np.arange(len(self)))
        same.__dict__["groups"] = tuple(groups)
        return same

    def subsample(self, at_most: int) -> Self:
        """Return at most so many of the examples, drawn evenly."""
        return self if len(self) <= at_most else self.take(np.linspace(0, len(self) - 1, at_most).astype(np.intp))

    @abstractmethod
    def _take(self, chosen: NDArray[np.intp]) -> Self:
        """Return the examples at `chosen`, in that order."""

    @abstractmethod
    def name(self, index: int) -> str:
        """Return what a page calls example number `index`: a file name, or its number."""

    def excerpt(self, index: int) -> str:
        """Return some of what example number `index` says, in words: empty for a picture."""
        return ""

    def file_bytes(self) -> int:
        """Return the bytes of the files that hold the examples; 0 for those in memory. Raises `DataError` where one is gone."""
        return 0

    def typical_size(self) -> int | None:
        """Return how large an input should be that holds most of what these examples say; None where nobody can tell."""
        return None

    @cached_property
    def ids(self) -> tuple[bytes, ...]:
        """Return the sha256 (32 bytes) of each example's content, without label and name: equal exactly where two are the same.

        Raises `DataError` for one that cannot be read.
        """
        return tuple(map(self._id, range(len(self))))

    @abstractmethod
    def _id(self, index: int) -> bytes:
        """Return the digest of example number `index`."""

    def digest(self) -> str:
        """Return the sha256 of the labels and the content, in order: equal exactly when two splits hold the same examples."""
        return hashlib.sha256(np.ascontiguousarray(self.labels).tobytes() + b"".join(self.ids)).hexdigest()


class Unlabelled(Examples):
    """Examples whose labels nobody knows: they have none, and who asks for them has made a mistake."""

    is_labelled: ClassVar[bool] = False

    @property
    def labels(self) -> Labels:  # type: ignore[override]  # there are none to be set
        """Raise `ValueError`: a number in their place would be taken for a class."""
        raise ValueError("these examples have no labels")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} examples)"

    def digest(self) -> str:
        """Return the sha256 of the content, in order."""
        return hashlib.sha256(b"".join(self.ids)).hexdigest()
