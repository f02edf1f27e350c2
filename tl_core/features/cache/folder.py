"""The folder that all tables share: its names, its locks, and what leaves it when it is full.

Parts lie side by side in it, named by their table and the time at which they were made. A part is written, thrown away or
merged only under the lock of the whole cache, so that a file of a write that is not finished is then seen to be dead. Locks
stay when all parts are gone: they are empty, and one that is removed under somebody who waits for it locks nothing.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from tl_core.errors import StorageError
from tl_core.features.cache import shards
from tl_core.features.cache.row_index import RowIndex
from tl_core.features.cache.shards import Damaged, Index, Table, Values
from tl_core.system import locks
from tl_core.system.files import write_whole
from tl_core.system.settings import CACHE_ENDING, CACHE_LIMIT_VARIABLE

CACHE_LOCK = "cache"
FIRST_SECONDS, POLL_SECONDS = 0.01, 0.2
"""How long one who waits for a lock sleeps at first, since a part is soon written, and then."""
PART = re.compile(rf"[0-9a-f]{{64}}-\d+{re.escape(CACHE_ENDING)}")
PARTIAL = re.compile(rf"\.partial-\d+-{PART.pattern}")
"""What `write_whole` calls a part until it is whole. Files of other names are not ours, and are never removed."""


T = TypeVar("T")


class NotKept(Exception):  # noqa: N818  # never leaves the cache
    """Something cannot be kept on disk. Its text is the reason, for the middle of a sentence."""


class CacheFile(NamedTuple):
    """A file of the cache: when it was last used (ns), its bytes, and where it is."""

    used: int
    size: int
    path: Path


class CacheFolder:
    """The folder of a cache whose parts may take `limit` bytes together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._verified: dict[str, tuple[int, int, int]] = {}

    def files(self, named: re.Pattern[str] = PART, key: str = "") -> list[CacheFile]:
        """Return those of such a name, of one table or of all, the least recently used first; none where it cannot be read."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if named.fullmatch(entry.name) and entry.name.startswith(key) and entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):  # thrown away by another process just now
                        facts = entry.stat(follow_symlinks=False)
                        found.append(CacheFile(facts.st_mtime_ns, facts.st_size, self.folder / entry.name))
        return sorted(found)

    @contextmanager
    def alone(self, name: str, wait: Callable[[], None]) -> Iterator[None]:
        """Hold the lock called `name`. `wait` is called whenever another holds it, and may raise to give up.

        Raises `NotKept` where there can be no lock.
        """
        pause = FIRST_SECONDS
        while (descriptor := self._hold(name)) is None:
            wait()
            time.sleep(pause)
            pause = min(2 * pause, POLL_SECONDS)
        try:
            yield
        finally:
            os.close(descriptor)

    def _hold(self, name: str) -> int | None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return locks.hold(self.folder / f"{name}.lock")
        except OSError as error:
            raise NotKept(_reason(error)) from error

    def find(self, table: Table, index: RowIndex) -> None:
        """Add to `index` what the table's parts hold of it. What is damaged is removed; what cannot be read is passed over."""
        for stored in reversed(self.files(key=table.key)):
            if not index.missing:
                return
            self.use(stored.path, table, partial(self._add, stored.path, table, index))

    def read(self, path: Path, table: Table) -> tuple[Index, Values] | None:
        """Return a part of `table`, held against its checksum; None where it is none, or none any more."""
        return self.use(path, table, lambda file, index: (index, self._values(file, index, path, table)))

    def use(self, path: Path, table: Table, how: Callable[[BinaryIO, Index], T]) -> T | None:
        """Return what `how` makes of the open part at `path`; None where it cannot be read, or is damaged and now removed."""
        try:
            with path.open("rb") as file:
                return how(file, shards.read_index(file, table))
        except Damaged:
            self.remove([path.name])
        except OSError:
            pass  # thrown away by another process just now, another user's, or on a disk that fails
        return None

    def keep(
        self,
        table: Table,
        images: Sequence[bytes],
        values: Values,
        *,
        spare: Collection[str],
        instead_of: Collection[str] = (),
        wait: Callable[[], None],
    ) -> tuple[str, Values]:
        """Write a part, and return its name and its values as they now lie on disk. Raises `NotKept`.

        Where it would not fit below the limit, what was used least recently goes.

        Args:
            table: What the rows have in common.
            images: The digest of each row's image.
            values: The rows.
            spare: Names of parts that do not go.
            instead_of: Names of parts that go in any case, once the new one is there.
            wait: Called while another process writes a part; may raise to give up.
        """
        path = self.folder / f"{table.key}-{time.time_ns()}{CACHE_ENDING}"
        with self.alone(CACHE_LOCK, wait):
            try:
                self._make_room(shards.size_of(table, values), spare, instead_of)
                write_whole(path, lambda unfinished: shards.write(unfinished, table, images, values))
                self.remove(instead_of)
                with path.open("rb") as file:
                    self._verified[path.name] = _identity(file)
                    return path.name, shards.mapped(file, shards.read_index(file, table), table)
            except (OSError, StorageError, Damaged) as error:
                raise NotKept(_reason(error)) from error

    def _add(self, path: Path, table: Table, index: RowIndex, file: BinaryIO, head: Index) -> None:
        if rows := index.rows_of(head.images):
            index.add(head.images, self._values(file, head, path, table), rows, path.name)

    def remove(self, names: Collection[str]) -> None:
        """Remove these files as far as they are there and may be removed. Who has mapped one can go on reading it."""
        for name in names:
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)

    def _make_room(self, size: int, spare: Collection[str], instead_of: Collection[str]) -> None:
        self.remove([left.path.name for left in self.files(PARTIAL)])
        others = [part for part in self.files() if part.path.name not in instead_of]
        if size + sum(part.size for part in others if part.path.name in spare) > self.limit:
            raise NotKept(f"it would be more than the {self.limit / 1e9:.1f} GB that {CACHE_LIMIT_VARIABLE} and the disk allow")
        excess = size + sum(part.size for part in others) - self.limit
        for part in others:
            if excess > 0 and part.path.name not in spare:
                part.path.unlink(missing_ok=True)
                excess -= part.size

    def _values(self, file: BinaryIO, index: Index, path: Path, table: Table) -> Values:
        """Return the values of a part, held against their checksum unless that was done and the file is still the same."""
        is_known = self._verified.get(path.name) == _identity(file)
        with contextlib.suppress(OSError):  # another user's, or on a disk that may only be read
            shards.mark_used(file.fileno())
        now = _identity(file)
        if not is_known:
            shards.verify(file, index)
        self._verified[path.name] = now
        return shards.mapped(file, index, table)


def _identity(file: BinaryIO) -> tuple[int, int, int]:
    """Return which file it is, and of which change. Others who mark it as used only make us look at it again."""
    facts = os.fstat(file.fileno())
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _reason(error: Exception) -> str:
    """Return what the system said, of a storage error, too."""
    cause = error.__cause__ if isinstance(error, StorageError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
