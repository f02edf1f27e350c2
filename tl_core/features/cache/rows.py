"""The rows of some images in one table: which are missing, how they are written, and how they are read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.cache.row_index import RowIndex
from tl_core.features.cache.shards import Table, Values
from tl_core.features.cache.writer import ShardWriter
from tl_core.notes import Note


class CachedRows:
    """The rows of the images that the cache was opened for, in their order.

    While it is open, what is `missing` is to be written. What is there can be read then and later, by several threads once it is
    closed.
    """

    def __init__(self, table: Table, index: RowIndex, writer: ShardWriter) -> None:
        self.table = table
        self._index = index
        self._writer = writer

    def __len__(self) -> int:
        return len(self._index)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one row."""
        return self.table.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return float32, uint8 or int32."""
        return self.table.dtype

    @property
    def computed(self) -> int:
        """Return how many rows were missing and have been written."""
        return self._writer.written

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return a note where some of those could not be kept on disk and are held in memory, or none."""
        return self._writer.notes

    def missing(self, positions: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Return the positions of the images, of all or of those at `positions`, whose rows have to be written next: each image
        once, ascending."""
        return self._writer.expect(positions)

    def write(self, values: Values) -> None:
        """Take the next rows of those that are missing: (n, *shape), in the table's type.

        Raises `ValueError` for other rows, or more of them, and then keeps nothing of this use. So do `missing`, `read` and the
        end of the use while some of them have not been written.
        """
        self._writer.write(values)

    def read(self, positions: NDArray[np.intp]) -> Values:
        """Return the rows at `positions`, (n, *shape), float32, uint8 or int32. Raises `IndexError`.

        A row that is held in 16 bits on disk may come unrounded while it is open.
        """
        self._writer.require_all()
        return self._index.gather(positions, self.table)
