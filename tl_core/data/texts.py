"""Texts and rows of tables as examples."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, Labels, Unlabelled

EXCERPT = 200
"""Characters of a text, or of a row, that are shown of it."""
MEASURED, MOST = 1000, 0.95
"""So many texts say how long they are: so long that this share of them is no longer."""


@dataclass(frozen=True, eq=False)
class Texts(Examples):
    """Texts, and the class index of each in `labels` (n,)."""

    texts: tuple[str, ...]
    labels: Labels

    def read(self, index: int) -> str:
        """Return text number `index`."""
        return self.texts[index]

    def typical_size(self) -> int | None:
        """Return how many words, between white space, `MOST` of `MEASURED` texts have at most; None where there is no text."""
        some = self.subsample(MEASURED)
        return int(np.ceil(np.quantile([len(text.split()) for text in some.texts], MOST))) if len(some) else None

    def _take(self, chosen: NDArray[np.intp]) -> "Texts":
        return Texts(tuple(self.texts[index] for index in chosen), self.labels[chosen])

    def unlabelled(self) -> "UnlabelledTexts":
        same = UnlabelledTexts(self.texts)
        self._tell(same, np.arange(len(self)))
        return same

    def name(self, index: int) -> str:
        return f"text {index}"

    def excerpt(self, index: int) -> str:
        return self.texts[index][:EXCERPT]

    def _id(self, index: int) -> bytes:
        return hashlib.sha256(self.texts[index].encode("utf-8", "surrogatepass")).digest()


class UnlabelledTexts(Unlabelled, Texts):
    """Texts without labels."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.__dict__["texts"] = texts

    def __len__(self) -> int:
        return len(self.texts)

    def _take(self, chosen: NDArray[np.intp]) -> "UnlabelledTexts":
        return UnlabelledTexts(tuple(self.texts[index] for index in chosen))


@dataclass(frozen=True, eq=False)
class TableRows(Examples):
    """Rows of a table: a number (NaN where it is missing) or a word (empty where it is) for each of the `columns`, and the class
    index of each row in `labels` (n,)."""

    columns: tuple[str, ...]
    values: tuple[tuple[float | str, ...], ...]
    labels: Labels

    def read(self, index: int) -> tuple[float | str, ...]:
        """Return row number `index`, in the order of the columns."""
        return self.values[index]

    def _take(self, chosen: NDArray[np.intp]) -> "TableRows":
        return TableRows(self.columns, tuple(self.values[index] for index in chosen), self.labels[chosen])

    def unlabelled(self) -> "UnlabelledRows":
        same = UnlabelledRows(self.columns, self.values)
        self._tell(same, np.arange(len(self)))
        return same

    def name(self, index: int) -> str:
        return f"row {index}"

    def excerpt(self, index: int) -> str:
        pairs = zip(self.columns, self.values[index], strict=True)
        said = ", ".join(f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}" for name, value in pairs)
        return said[:EXCERPT]

    def _id(self, index: int) -> bytes:
        return hashlib.sha256(json.dumps([self.columns, self.values[index]]).encode()).digest()


class UnlabelledRows(Unlabelled, TableRows):
    """Rows of a table without labels."""

    def __init__(self, columns: tuple[str, ...], values: tuple[tuple[float | str, ...], ...]) -> None:
        self.__dict__ |= {"columns": columns, "values": values}

    def __len__(self) -> int:
        return len(self.values)

    def _take(self, chosen: NDArray[np.intp]) -> "UnlabelledRows":
        return UnlabelledRows(self.columns, tuple(self.values[index] for index in chosen))
