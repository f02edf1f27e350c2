"""Rows as they are computed, put together into parts that are kept on disk, or in memory where the disk takes no more."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.features.cache.folder import CacheFolder, NotKept
from tl_core.features.cache.row_index import RowIndex
from tl_core.features.cache.shards import Table, Values
from tl_core.notes import Note, NoteKind

PART_SECONDS = 120.0
"""A part is finished when it is so old, however small: this much of the work at most is lost with a process that is killed."""
SAMPLE_ROWS = 256

Halve = Callable[[NDArray[np.float32]], bool]
Wait = Callable[[], None]


@dataclass
class _Shard:
    """A part that is being made: its number in the index, its rows, of which `filled` are there, and the positions of these."""

    number: int
    values: Values
    filled: int = 0
    positions: list[NDArray[np.intp]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def is_full(self) -> bool:
        """Return whether it takes no more."""
        return self.filled == len(self.values)


class ShardWriter:
    """Takes rows that an index lacks, one after the other, and puts them into parts that are finished one by one.

    Once something cannot be kept on disk, all that follows stays in memory, as a note says.
    """

    def __init__(
        self,
        table: Table,
        index: RowIndex,
        files: CacheFolder,
        *,
        part_bytes: int,
        halve: Halve,
        wait: Wait,
        reason: str,
        holds: bool,
    ) -> None:
        """Begin with no row.

        Args:
            table: What the rows have in common.
            index: Where they are sought, and put.
            files: Where parts are kept.
            part_bytes: About the memory that a part takes while it is made.
            halve: Whether a part may be held in 16 bits, by a sample of its rows.
            wait: Called while another process writes a part; may raise to give up.
            reason: Why nothing can be kept on disk, empty where it can.
            holds: Whether rows that are not on disk stay in memory for good, and not only until the next ones are expected.
        """
        self.written = 0
        self._table, self._index, self._files = table, index, files
        self._capacity = max(1, part_bytes // table.row_bytes)
        self._halve, self._wait = halve, wait
        self._reason, self._holds = reason, holds
        self._expected, self._taken = np.empty(0, np.intp), 0
        self._names: list[str] = []
        self._in_memory = False
        self._passing: list[tuple[NDArray[np.intp], int]] = []
        self._shard: _Shard | None = None
        self._free = self._rows(0)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return a note where something is held in memory, otherwise none."""
        return (Note(NoteKind.HELD_IN_MEMORY, about=(self._reason,)),) if self._in_memory else ()

    def expect(self, positions: NDArray[np.intp] | None) -> NDArray[np.intp]:
        """Return the positions, of all or of these, whose rows are to be written next. Raises `ValueError` as `require_all`."""
        self.require_all()
        for passed, number in self._passing:
            self._index.forget(passed, number)
        self._passing.clear()
        self._expected, self._taken = self._index.lacking(positions), 0
        return self._expected

    def write(self, values: Values) -> None:
        """Take the rows of the next positions. Raises `ValueError` where they cannot be that, and keeps none then."""
        if values.dtype != self._table.dtype or values.ndim == 0 or values.shape[1:] != self._table.shape:
            self._refuse(f"of type {self._table.dtype} and shape {self._table.shape}", f"{values.dtype} {values.shape}")
        positions = self._expected[self._taken : self._taken + len(values)]
        if len(values) > len(positions):
            self._refuse(f"{len(self._expected)} in number", "more")
        self._taken += len(values)
        self.written += len(values)
        while len(positions):
            count = self._add(positions, values)
            positions, values = positions[count:], values[count:]

    def require_all(self) -> None:
        """Raise `ValueError` where rows that are expected have not been written, and keep none then."""
        if self._taken < len(self._expected):
            self._refuse(f"{len(self._expected)} in number", str(self._taken))

    def close(self) -> None:
        """Make a part of what has come since the last one, and hold no memory for another."""
        if self._shard:
            self._finish(self._shard)
        self._free = self._rows(0)

    def _add(self, positions: NDArray[np.intp], values: Values) -> int:
        """Put as many of these rows as fit into the part that is being made. Return their number."""
        shard = self._shard = self._shard or self._begun(len(positions))
        end = min(shard.filled + len(positions), len(shard.values))
        count = end - shard.filled
        shard.values[shard.filled : end] = values[:count]
        self._index.place(positions[:count], shard.number, np.arange(shard.filled, end))
        shard.positions.append(positions[:count])
        shard.filled = end
        if shard.is_full or (not self._reason and time.monotonic() - shard.began > PART_SECONDS):
            self._finish(shard)
        return count

    def _begun(self, rows: int) -> _Shard:
        """Return a new part: for all that is missing, or for as many `rows` where they do not stay.

        It lies in the memory of the last one if that will do: the system takes longer to give memory than it takes to fill it.
        """
        rows = min(self._capacity, rows if self._reason and not self._holds else self._index.missing)
        values = self._free[:rows] if len(self._free) >= rows else self._rows(rows)
        return _Shard(self._index.put(values), values)

    def _finish(self, shard: _Shard) -> None:
        """Put the part on disk, or leave it in memory."""
        positions, values, name = np.concatenate(shard.positions), self._stored(shard.values[: shard.filled]), ""
        if not self._reason:
            try:
                images, spare = self._index.images(positions), self._index.names
                name, values = self._files.keep(self._table, images, values, spare=spare, wait=self._wait)
                self._names.append(name)
            except NotKept as error:
                self._reason = str(error)
        self._index.put(values, name, shard.number)
        if not name and self._holds:
            self._in_memory = True
        elif not name:
            self._passing.append((positions, shard.number))
        self._free, self._shard = shard.values if name else self._rows(0), None

    def _rows(self, count: int) -> Values:
        return np.empty((count, *self._table.shape), self._table.dtype)

    def _refuse(self, wanted: str, received: str) -> None:
        self._files.remove(self._names)
        self._shard = None
        raise ValueError(f"the rows computed for table {self._table.key} have to be {wanted}. Received: {received}")

    def _stored(self, values: Values) -> Values:
        """Return them in 16 bits where the caller allows it and every value stays a number."""
        if values.dtype == np.float32 and self._halve(values[:: -(-len(values) // SAMPLE_ROWS)]):
            with np.errstate(over="ignore"):
                halves: NDArray[Any] = values.astype(np.float16)
            return halves if np.isfinite(halves).all() else values
        return values
