"""What was computed of an image, kept on disk for every run, process and user of a home.

A *table* holds rows that depend on the same things but for the image; a *row* is found by its image's digest. Rows lie in
*parts*, files of bounded size that appear whole. Whoever lacks rows of a table computes them alone, while others wait.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tl_core.errors import StorageError
from tl_core.features.cache.compaction import merge_small
from tl_core.features.cache.folder import CACHE_LOCK, PARTIAL, CacheFolder, NotKept
from tl_core.features.cache.row_index import RowIndex, Rows
from tl_core.features.cache.shards import PART_BYTES, Table, Values
from tl_core.features.cache.writer import Halve, ShardWriter, Wait
from tl_core.features.prefetch import in_batches
from tl_core.system import settings

__all__ = ["ActivationCache", "Compute", "Rows", "Wait", "cache_of"]

Compute = Callable[[NDArray[np.intp]], Iterator[Values]]
"""Yields the rows of the images at some positions, in that order, in arrays of any number of rows."""


def cache_of(home: Path) -> "ActivationCache":
    """The cache that all runs of `home` share. Raises `SettingError` for a limit that is none."""
    folder = settings.cache_folder(home)
    return ActivationCache(folder, settings.cache_limit(folder))


def _never(values: NDArray[np.float32]) -> bool:
    return False


def _go_on() -> None:
    return


def _turn_away() -> None:
    raise NotKept("somebody else computes such rows")


class ActivationCache:
    """The cache in `folder`, whose parts may take `limit` bytes together; what was used least recently goes first.

    Parts are made in about `part_bytes` of memory. Threads may share it. `room` is what the rows that one run needs at a time
    should take at most.
    """

    def __init__(self, folder: Path, limit: int, *, part_bytes: int = PART_BYTES) -> None:
        self.folder = folder
        self.limit = limit
        self.room = limit // 2
        self._shelf = CacheFolder(folder, limit)
        self._part_bytes = part_bytes

    def rows(
        self,
        key: str,
        ids: Sequence[bytes],
        compute: Compute,
        *,
        shape: tuple[int, ...],
        dtype: DTypeLike = np.float32,
        halve: Halve = _never,
        wait: Wait = _go_on,
    ) -> Rows:
        """The rows of the images `ids` (SHA-256 of their content, 32 bytes each) in the table `key` (SHA-256, hexadecimal).

        A row has `shape` and `dtype`, float32 or uint8. `compute` is given the positions in `ids` of those that are missing,
        each image once; what it had yielded when it raises is kept. `halve` says of rows (n, *shape), a sample of a part,
        whether that part may be held in 16 bits; it is not where a number would become infinite. While another process or
        thread computes rows of this table, `wait` is called about five times a second, and may raise to give up.

        What cannot be kept on disk is held in memory, and `Rows.note` says why. Raises `ValueError` where `compute` gives
        other rows than those, and then keeps none of them; otherwise only what `compute` and `wait` raise.
        """
        table = Table(key, shape, np.dtype(dtype))
        places = RowIndex(ids)
        self._shelf.find(table, places)
        if places.complete:
            return Rows(table, 0, "", places)
        with ExitStack() as locked:
            reason = self._enter(locked, table, wait)
            if not reason:
                places = RowIndex(ids)  # begun anew, since what was merged, or came while we waited, is elsewhere
                self._shelf.find(table, places)
            positions = places.lacking()
            images = [ids[position] for position in positions]
            collector = ShardWriter(table, images, places, self._shelf, part_bytes=self._part_bytes, halve=halve, wait=wait)
            collector.reason = reason
            if images:
                collector.collect(compute(positions))
        return Rows(table, len(images), collector.note, places)

    def stream(
        self,
        key: str,
        ids: Sequence[bytes],
        compute: Callable[[NDArray[np.intp]], Values],
        *,
        keeps: bool,
        size: int,
        shape: tuple[int, ...],
        dtype: DTypeLike = np.float32,
    ) -> Iterator[Values]:
        """The rows that `rows` would give, `size` at a time, each time as soon as they are read or computed: for who takes them
        once, in their order.

        `compute` gives the rows of the images at some positions in `ids`. If it `keeps` them, it does so also where the caller
        turns away before the end. A stream waits for nobody and holds little in memory: while another process or thread
        computes rows of this table, or where the disk takes no more, they are not kept. Raises as `rows` does.
        """
        table = Table(key, shape, np.dtype(dtype))
        places = RowIndex(ids)
        self._shelf.find(table, places)
        with ExitStack() as locked:
            reason = self._enter(locked, table, _turn_away) if keeps and not places.complete else "nobody asks for it"
            is_known = places.known()
            images = [image for image, is_there in zip(ids, is_known, strict=True) if not is_there]
            collector = ShardWriter(table, images, places, self._shelf, part_bytes=self._part_bytes, halve=_never, wait=_go_on)
            collector.reason = reason
            try:
                for positions in in_batches(np.arange(len(ids)), size):
                    rows = np.empty((len(positions), *shape), table.dtype)
                    there, lacking = is_known[positions], ~is_known[positions]
                    rows[there] = places.gather(positions[there], table)
                    if lacking.any():
                        rows[lacking] = collector.passed(compute(positions[lacking]), int(lacking.sum()))
                    yield rows
            finally:
                collector.finish()

    def _enter(self, locked: ExitStack, table: Table, wait: Wait) -> str:
        """Hold the table's lock until `locked` ends, and tidy up. The reason why nothing can be kept, empty where it can."""
        try:
            locked.enter_context(self._shelf.alone(table.key, wait))
        except NotKept as error:
            return str(error)
        merge_small(self._shelf, table, self._part_bytes, wait)
        return ""

    def size(self) -> int:
        """Bytes that all parts take now. It takes no lock: they may be others a moment later in any case."""
        return sum(stored.size for stored in [*self._shelf.files(), *self._shelf.files(PARTIAL)])

    def clear(self, wait: Wait = _go_on) -> int:
        """Remove all parts, and say how many bytes they took. Who is reading them can go on; locks and other files stay.

        Raises `StorageError` where they may not be removed.
        """
        try:
            with self._shelf.alone(CACHE_LOCK, wait):
                removed = 0
                for stored in [*self._shelf.files(), *self._shelf.files(PARTIAL)]:
                    stored.path.unlink(missing_ok=True)
                    removed += stored.size
                return removed
        except (OSError, NotKept) as error:
            raise StorageError(
                f"The cache cannot be cleared ({error}).", "Make the folder writable.", received=self._shelf.folder
            ) from error
