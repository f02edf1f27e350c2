"""Which row of which part belongs to which of the images that somebody asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.cache.shards import DIGEST_BYTES, Table, Values, release_pages


class RowIndex:
    """Where the rows of `images` are, which may name one image more than once. Raises `ValueError` for what is no digest.

    `names` are the files of the parts in which some were found.
    """

    def __init__(self, images: Sequence[bytes]) -> None:
        self.names: set[str] = set()
        self._lacking: dict[bytes, int] = {}
        first = [self._lacking.setdefault(image, position) for position, image in enumerate(images)]
        if any(len(image) != DIGEST_BYTES for image in self._lacking):
            raise ValueError(f"an image's digest has {DIGEST_BYTES} bytes")
        self._first = np.array(first, np.intp)
        self._part = np.full(len(images), -1, np.intp)
        self._row = np.zeros(len(images), np.intp)
        self._parts: list[Values] = []

    def __len__(self) -> int:
        return len(self._first)

    @property
    def complete(self) -> bool:
        """Whether all rows are somewhere."""
        return not self._lacking

    def lacking(self) -> NDArray[np.intp]:
        """The first position of each image whose row is nowhere yet, ascending."""
        return np.fromiter(self._lacking.values(), np.intp, len(self._lacking))

    def known(self) -> NDArray[np.bool_]:
        """Of each image, whether its row is somewhere."""
        return self._part[self._first] >= 0

    def rows_of(self, images: Sequence[bytes]) -> list[int]:
        """Which rows of a part with `images` are lacking here."""
        return [row for row, image in enumerate(images) if image in self._lacking]

    def add(self, images: Sequence[bytes], values: Values, rows: Iterable[int], name: str = "") -> None:
        """Have these `rows` of a part with `images` and `values`, whose file is called `name`, if it is in one."""
        for row in rows:
            position = self._lacking.pop(images[row], None)
            if position is not None:
                self._part[position], self._row[position] = len(self._parts), row
        self._parts.append(values)
        self.names |= {name} - {""}

    def gather(self, positions: NDArray[np.intp], table: Table) -> Values:
        """The rows at `positions`, in the table's type: (n, *shape)."""
        first = self._first[positions]
        part, row = self._part[first], self._row[first]
        gathered = np.empty((len(first), *table.shape), table.dtype)
        for number in np.unique(part):
            chosen = np.flatnonzero(part == number)
            gathered[chosen] = self._parts[number][row[chosen]]
            release_pages(self._parts[number])
        return gathered


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of the images that were asked for, in their order.

    `computed` is how many were not there and had to be computed; `note` is empty, or says in a sentence why some of those
    could not be kept on disk and are held in memory. Threads may share it.
    """

    table: Table
    computed: int
    note: str
    _places: RowIndex

    def __len__(self) -> int:
        return len(self._places)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.table.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or uint8."""
        return self.table.dtype

    def batch(self, indices: NDArray[np.intp]) -> Values:
        """The rows at `indices`, (n, *shape), float32 or uint8. Raises `IndexError`."""
        return self._places.gather(indices, self.table)
