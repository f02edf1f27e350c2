"""Rows as they are computed, put together into parts that are kept on disk, or in memory where the disk takes no more."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.cache.folder import CacheFolder, NotKept
from tl_core.features.cache.row_index import RowIndex
from tl_core.features.cache.shards import Table, Values

PART_SECONDS = 120.0
"""A part is finished when it is so old, however small: this much of the work at most is lost with a process that is killed."""
SAMPLE_ROWS = 256

Halve = Callable[[NDArray[np.float32]], bool]
Wait = Callable[[], None]


class ShardWriter:
    """Takes the rows of `images`, one after the other, and puts each part in `places` once it is finished.

    Once `reason` says why nothing can be kept on disk, all others stay in memory.
    """

    def __init__(
        self,
        table: Table,
        images: Sequence[bytes],
        places: RowIndex,
        shelf: CacheFolder,
        *,
        part_bytes: int,
        halve: Halve,
        wait: Wait,
    ) -> None:
        self.reason = ""
        self._table = table
        self._images = images
        self._places = places
        self._shelf = shelf
        self._halve = halve
        self._wait = wait
        self._capacity = max(1, part_bytes // table.row_bytes)
        self._finished = 0
        self._written: list[str] = []
        self._begin(np.empty((0, *table.shape), table.dtype))

    def _begin(self, free: Values) -> None:
        """A new part, in the memory `free` if that will do: what the system gives anew takes it longer than to fill it."""
        rows = min(self._capacity, len(self._images) - self._finished)
        self._part = free[:rows] if len(free) >= rows else np.empty((rows, *self._table.shape), self._table.dtype)
        self._filled = 0
        self._began = time.monotonic()

    @property
    def note(self) -> str:
        """A sentence for the user where something is held in memory, otherwise empty."""
        why = f"Some of what was computed is held in memory, since it cannot be kept on disk ({self.reason})."
        return why if self.reason and self._finished else ""

    def collect(self, computed: Iterator[Values]) -> None:
        """Take all rows. What came before an interruption is kept.

        Raises `ValueError` where they cannot be right, and then none of them is kept.
        """
        try:
            for values in computed:
                self.add(values)
            self._require_all()
        finally:
            self.finish()

    def add(self, values: Values) -> None:
        """Take some rows. Raises `ValueError` as `collect` does."""
        if values.dtype != self._table.dtype or values.ndim == 0 or values.shape[1:] != self._table.shape:
            self._refuse(f"of type {self._table.dtype} and shape {self._table.shape}", f"{values.dtype} {values.shape}")
        while len(values):
            if not len(self._part):
                self._refuse(f"{len(self._images)} in number", "more")
            taken = values[: len(self._part) - self._filled]
            self._part[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            values = values[len(taken) :]
            is_old = not self.reason and time.monotonic() - self._began > PART_SECONDS
            if self._filled == len(self._part) or is_old:
                self.finish()

    def passed(self, values: Values, count: int) -> Values:
        """The same rows, which have to be `count` in number, taken as long as they can be kept on disk. Raises `ValueError`."""
        if len(values) != count:
            self._refuse(f"{count} in number", str(len(values)))
        if not self.reason:
            self.add(values)
        return values

    def finish(self) -> None:
        """Make a part of what has come since the last one."""
        if self._filled:
            images = self._images[self._finished : self._finished + self._filled]
            values, name = self._stored(self._part[: self._filled]), ""
            if not self.reason:
                try:
                    spare = self._places.names
                    name, values = self._shelf.keep(self._table, images, values, spare=spare, wait=self._wait)
                    self._written.append(name)
                except NotKept as error:
                    self.reason = str(error)
            self._places.add(images, values, range(len(images)), name)
            self._finished += len(images)
            self._begin(self._part if name else self._part[:0])

    def _require_all(self) -> None:
        if self._finished + self._filled < len(self._images):
            self._refuse(f"{len(self._images)} in number", str(self._finished + self._filled))

    def _refuse(self, wanted: str, received: str) -> None:
        self._shelf.remove(self._written)
        self._filled = 0
        raise ValueError(f"the rows computed for table {self._table.key} have to be {wanted}. Received: {received}")

    def _stored(self, values: Values) -> Values:
        """In 16 bits where the caller allows it and every value stays a number."""
        if values.dtype == np.float32 and self._halve(values[:: -(-len(values) // SAMPLE_ROWS)]):
            with np.errstate(over="ignore"):
                halves: NDArray[Any] = values.astype(np.float16)
            return halves if np.isfinite(halves).all() else values
        return values
