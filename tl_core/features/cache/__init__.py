"""What was computed of an image, kept on disk for every run, process and user of a home.

A *table* holds rows that depend on the same things but for the image; a *row* is found by its image's digest. Rows lie in
*parts*, files of bounded size that appear whole. Whoever lacks rows of a table computes them alone, while others wait.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import StorageError
from tl_core.features.cache.compaction import merge_small
from tl_core.features.cache.folder import CACHE_LOCK, PARTIAL, CacheFolder, NotKept
from tl_core.features.cache.row_index import RowIndex
from tl_core.features.cache.rows import CachedRows
from tl_core.features.cache.shards import PART_BYTES, Table
from tl_core.features.cache.writer import Halve, ShardWriter, Wait
from tl_core.system import settings

__all__ = ["ActivationCache", "CachedRows", "Table", "Wait", "cache_of"]


def cache_of(home: Path) -> "ActivationCache":
    """Return the cache that all runs of `home` share. Raises `SettingError` for a limit that is none."""
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
        self._files = CacheFolder(folder, limit)
        self._part_bytes = part_bytes

    def open(
        self, table: Table, ids: Sequence[bytes], *, halve: Halve = _never, wait: Wait = _go_on
    ) -> AbstractContextManager[CachedRows]:
        """Enter the rows of the images `ids` (SHA-256 of their content, 32 bytes each) in `table` for one use.

        While some are missing, nobody else computes rows of this table; what others had computed by then is found. All that
        `missing` names has to be written by the end. Where the use is ended by an exception, what was written by then is kept.
        What cannot be kept on disk is held in memory, and `CachedRows.notes` say why.

        `halve` says of rows (n, *shape), a sample of a part, whether that part may be held in 16 bits; it is not where a number
        would become infinite. While another process or thread computes rows of this table, `wait` is called about five times a
        second, and may raise to give up.
        """
        return self._opened(table, ids, halve=halve, wait=wait)

    def open_stream(self, table: Table, ids: Sequence[bytes], *, keep: bool) -> AbstractContextManager[CachedRows]:
        """Enter the same rows for who reads them once, a few at a time, and leaves when he likes.

        It waits for nobody and holds little in memory: while another process or thread computes rows of this table, where the
        disk takes no more, and where it is not to `keep` them, rows that were written can be read until more are missing.
        """
        return self._opened(table, ids, halve=_never, wait=_turn_away, keep=keep, holds=False)

    @contextmanager
    def _opened(
        self, table: Table, ids: Sequence[bytes], *, halve: Halve, wait: Wait, keep: bool = True, holds: bool = True
    ) -> Iterator[CachedRows]:
        index, reason = self._find(table, ids), "" if keep else "it is not to be kept"
        with ExitStack() as locked:
            if index.missing and keep:
                reason = self._enter(locked, table, wait)
                index = index if reason else self._find(table, ids)  # what was merged, or came while we waited, is elsewhere
            during = wait if holds else _go_on  # a part that is finished waits for others' parts in any case
            writer = ShardWriter(
                table, index, self._files, part_bytes=self._part_bytes, halve=halve, wait=during, reason=reason, holds=holds
            )
            try:
                yield CachedRows(table, index, writer)
                writer.require_all()
            finally:
                writer.close()

    def _find(self, table: Table, ids: Sequence[bytes]) -> RowIndex:
        index = RowIndex(ids)
        self._files.find(table, index)
        return index

    def _enter(self, locked: ExitStack, table: Table, wait: Wait) -> str:
        """Hold the table's lock until `locked` ends, and tidy up. Return why nothing can be kept, empty where it can."""
        try:
            locked.enter_context(self._files.alone(table.key, wait))
        except NotKept as error:
            return str(error)
        merge_small(self._files, table, self._part_bytes, wait)
        return ""

    def size(self) -> int:
        """Return the bytes that all parts take now. No lock is taken: they may be others a moment later in any case."""
        return sum(stored.size for stored in [*self._files.files(), *self._files.files(PARTIAL)])

    def clear(self, wait: Wait = _go_on) -> int:
        """Remove all parts, and return how many bytes they took. Who is reading them can go on; locks and other files stay.

        Raises `StorageError` where they may not be removed.
        """
        try:
            with self._files.alone(CACHE_LOCK, wait):
                removed = 0
                for stored in [*self._files.files(), *self._files.files(PARTIAL)]:
                    stored.path.unlink(missing_ok=True)
                    removed += stored.size
                return removed
        except (OSError, NotKept) as error:
            raise StorageError(
                f"The cache cannot be cleared ({error}).", "Make the folder writable.", received=self._files.folder
            ) from error
