"""Many small parts made into few: a table that grew by many short runs is then still opened at once."""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from tl_core.features.cache.folder import CacheFile, CacheFolder, NotKept
from tl_core.features.cache.shards import Table

MAX_SMALL_SHARDS = 16
"""So many small parts a table may have."""


def merge_small(folder: CacheFolder, table: Table, part_bytes: int, wait: Callable[[], None]) -> None:
    """Merge the table's parts of less than half of `part_bytes`, if more than `MAX_SMALL_SHARDS`, into ones of at most that.

    The table's lock must be held. Where the disk takes no merged part the small ones stay. A merged part counts as used now.
    """
    small = [stored for stored in folder.files(key=table.key) if stored.size < part_bytes // 2]
    if len(small) > MAX_SMALL_SHARDS:
        typed = [(folder.use(stored.path, table, lambda _, index: index.dtype.str), stored) for stored in small]
        for dtype in sorted({dtype for dtype, _ in typed if dtype}):
            for group in _groups(sorted((each for kind, each in typed if kind == dtype), key=lambda each: each.size), part_bytes):
                _merge(folder, table, group, wait)


def _groups(small: list[CacheFile], part_bytes: int) -> Iterator[list[CacheFile]]:
    """Yield neighbours that fit together into one part, two at least."""
    group: list[CacheFile] = []
    for stored in small:
        if sum(each.size for each in group) + stored.size > part_bytes:
            yield from [group] * (len(group) > 1)
            group = []
        group.append(stored)
    yield from [group] * (len(group) > 1)


def _merge(folder: CacheFolder, table: Table, group: list[CacheFile], wait: Callable[[], None]) -> None:
    """Make one part of a group. An image that is in two of them, since a process was killed while it merged, is in it once."""
    found = {stored.path.name: part for stored in group if (part := folder.read(stored.path, table))}
    if len(found) < 2:
        return
    rows = {image: values[row] for index, values in found.values() for row, image in enumerate(index.images)}
    with contextlib.suppress(NotKept):
        folder.keep(table, list(rows), np.stack(list(rows.values())), spare=(), instead_of=found.keys(), wait=wait)
