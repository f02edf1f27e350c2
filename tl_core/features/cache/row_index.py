"""Which row of which part belongs to which of the images that somebody asked for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.features.cache.shards import DIGEST_BYTES, Table, Values, release_pages

NOWHERE = -1


class RowIndex:
    """Where the rows of `images` are, which may name one image more than once. Raises `ValueError` for what is no digest.

    An image's position is its first one. `names` are the files of the parts in which some were found.
    """

    def __init__(self, images: Sequence[bytes]) -> None:
        self.names: set[str] = set()
        self._images = images
        self._lacking: dict[bytes, int] = {}
        first = [self._lacking.setdefault(image, position) for position, image in enumerate(images)]
        if any(len(image) != DIGEST_BYTES for image in self._lacking):
            raise ValueError(f"an image's digest has {DIGEST_BYTES} bytes")
        self._first = np.array(first, np.intp)
        self._part = np.full(len(images), NOWHERE, np.intp)
        self._row = np.zeros(len(images), np.intp)
        self._parts: dict[int, Values] = {}

    def __len__(self) -> int:
        return len(self._first)

    @property
    def missing(self) -> int:
        """Return how many images have their row nowhere."""
        return len(self._lacking)

    def lacking(self, positions: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Return the positions of the images, of all or of those at `positions`, whose rows are nowhere yet, ascending."""
        first = self._first if positions is None else self._first[positions]
        return np.unique(first[self._part[first] == NOWHERE])

    def rows_of(self, images: Sequence[bytes]) -> list[int]:
        """Return which rows of a part with `images` are lacking here."""
        return [row for row, image in enumerate(images) if image in self._lacking]

    def images(self, positions: NDArray[np.intp]) -> list[bytes]:
        """Return the digests of the images at `positions`."""
        return [self._images[position] for position in positions]

    def add(self, images: Sequence[bytes], values: Values, rows: Sequence[int], name: str) -> None:
        """Have these lacking `rows` of a part with `images` and `values`, whose file is called `name`."""
        positions = np.array([self._lacking[images[row]] for row in rows], np.intp)
        self.place(positions, self.put(values, name), np.array(rows, np.intp))

    def put(self, values: Values, name: str = "", number: int | None = None) -> int:
        """Take the values of a part, in a file if it has a `name`: of a new one, or of `number`, whose rows are there now.
        Return its number."""
        number = len(self._parts) if number is None else number
        self._parts[number] = values
        self.names |= {name} - {""}
        return number

    def place(self, positions: NDArray[np.intp], number: int, rows: NDArray[np.intp]) -> None:
        """Have the images at `positions` in these `rows` of the part `number`."""
        self._part[positions], self._row[positions] = number, rows
        for image in self.images(positions):
            self._lacking.pop(image, None)

    def forget(self, positions: NDArray[np.intp], number: int) -> None:
        """Have the images at `positions` nowhere again, which are all that the part `number` has."""
        self._part[positions] = NOWHERE
        self._lacking |= dict(zip(self.images(positions), positions.tolist(), strict=True))
        self._parts[number] = self._parts[number][:0].copy()

    def gather(self, positions: NDArray[np.intp], table: Table) -> Values:
        """Return the rows at `positions`, in the table's type: (n, *shape). Raises `IndexError` for a position that is none, and
        `KeyError` for one whose row is nowhere."""
        first = self._first[positions]
        part, row = self._part[first], self._row[first]
        gathered = np.empty((len(first), *table.shape), table.dtype)
        for number in np.unique(part).tolist():
            chosen = np.flatnonzero(part == number)
            gathered[chosen] = self._parts[number][row[chosen]]
            release_pages(self._parts[number])
        return gathered
