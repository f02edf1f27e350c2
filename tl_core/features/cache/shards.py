"""The file of a part: some rows of one table, and which images they belong to.

A part is a prefix of fixed length, a head in JSON, the images' digests, zeros up to a multiple of `ALIGNMENT`, and the
values. Nothing in it is trusted: sizes are held against the file's before memory is taken, nothing is ever unpickled, and
two checksums cover the two halves. They are CRC-32, which misses no error of up to 32 bits in a row and one in four thousand
million of the others, at a gigabyte a second and more: it is accidents that are to be found, since whoever may write in the
folder on purpose could write a matching SHA-256, too.
"""

import json
import mmap
import os
import struct
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"TLrows1\n"
PREFIX = struct.Struct("<8sIIQ")
"""Magic, checksum of what follows it up to the zeros, length of the head, number of rows."""
ALIGNMENT = 64
DIGEST_BYTES = 32
HEAD_BYTES = 4096
"""No head is longer."""
PART_BYTES = 64 << 20
"""About the memory that a part takes while it is made, and the most that it takes on disk unless a single row is larger."""
READ_BYTES = 1 << 20
STORED_AS = {"float32": ("<f4", "<f2"), "uint8": ("|u1",), "int32": ("<i4",)}
"""The types in which a part may hold the rows of a table, by the type of the table."""

Values = NDArray[Any]
"""Rows of one table: float32, float16, uint8 or int32, of shape (rows, *shape)."""


class Damaged(Exception):  # noqa: N818  # never leaves the cache
    """This file is not a whole part of that table."""


@dataclass(frozen=True)
class Table:
    """What the rows of a table have in common: its key (64 hexadecimal digits), and a row's shape and type (float32, uint8 or
    int32).

    Raises `ValueError`.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __post_init__(self) -> None:
        if len(self.key) != 64 or set(self.key) - set("0123456789abcdef"):
            raise ValueError(f"a table's key has 64 hexadecimal digits. Received: {self.key!r}")
        if self.dtype.name not in STORED_AS or min(self.shape, default=1) < 1:
            raise ValueError(f"rows are float32, uint8 or int32, and not empty. Received: {self.dtype} {self.shape}")

    @property
    def row_bytes(self) -> int:
        """Return the bytes of a row in memory, with its image's digest."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize + DIGEST_BYTES


@dataclass(frozen=True)
class Index:
    """The first half of a part: the digests of its images, the type of its values, their checksum and where they begin."""

    images: tuple[bytes, ...]
    dtype: np.dtype[Any]
    checksum: int
    offset: int


def size_of(table: Table, values: Values) -> int:
    """Return about the bytes that a part with these values takes on disk; never less."""
    return PREFIX.size + HEAD_BYTES + len(values) * DIGEST_BYTES + ALIGNMENT + values.nbytes


def write(path: Path, table: Table, images: Sequence[bytes], values: Values) -> None:
    """Make a part at `path`, used now. Raises `OSError`."""
    stored = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    content = stored.reshape(-1).view(np.uint8).data
    facts = {"key": table.key, "shape": table.shape, "dtype": stored.dtype.str, "checksum": zlib.crc32(content)}
    head = json.dumps(facts).encode()
    rest = head + b"".join(images)
    prefix = PREFIX.pack(MAGIC, _checksum(len(head), len(images), rest), len(head), len(images))
    with path.open("wb") as file:
        file.write((prefix + rest).ljust(_values_begin(len(rest)), b"\0"))
        file.write(content)
    mark_used(path)


def mark_used(file: Path | int) -> None:
    """Note that the part at this path, or open as this descriptor, is used now. Raises `OSError`."""
    now = time.time_ns()
    os.utime(file, ns=(now, now))


def read_index(file: BinaryIO, table: Table) -> Index:
    """Return the first half of a part of `table`. Raises `Damaged`, and `OSError` where it cannot be read."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        raise Damaged
    magic, checksum, length, rows = PREFIX.unpack(prefix)
    fits = length <= HEAD_BYTES and 0 < rows * DIGEST_BYTES <= PART_BYTES
    offset = _values_begin(length + rows * DIGEST_BYTES)
    if magic != MAGIC or not fits or offset > size:
        raise Damaged
    rest = file.read(length + rows * DIGEST_BYTES)
    if _checksum(length, rows, rest) != checksum:
        raise Damaged
    images = tuple(rest[begin : begin + DIGEST_BYTES] for begin in range(length, len(rest), DIGEST_BYTES))
    index = Index(images, *_facts(rest[:length], table), offset)
    if size != offset + rows * int(np.prod(table.shape, dtype=np.int64)) * index.dtype.itemsize:
        raise Damaged
    return index


def verify(file: BinaryIO, index: Index) -> None:
    """Raise `Damaged` unless the values are those that were written, `OSError` where the disk cannot read them.

    They are read, not mapped: a disk's error met through a map would end the process.
    """
    buffer, checksum = memoryview(bytearray(READ_BYTES)), 0
    file.seek(index.offset)
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # what `open` gives has it
        checksum = zlib.crc32(buffer[:count], checksum)
    if checksum != index.checksum:
        raise Damaged


def mapped(file: BinaryIO, index: Index, table: Table) -> Values:
    """Return the values of a part, read from disk only where they are looked at. They stay readable when the file is removed.

    Raises `OSError`, and `Damaged` where the file was cut off in this moment.
    """
    count = len(index.images) * int(np.prod(table.shape, dtype=np.int64))
    try:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(content, index.dtype, count, index.offset).reshape(len(index.images), *table.shape)
    except ValueError:
        raise Damaged from None


def release_pages(values: Values) -> None:
    """Give back the memory into which the values of a mapped part were read; whoever looks at them again reads them again, as a
    rule from the system's own cache. Without it a process that goes through a large table would seem to hold all of it."""
    base: Any = values
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def _facts(head: bytes, table: Table) -> tuple[np.dtype[Any], int]:
    """Return the type of a part's values and their checksum, as its head has them. Raises `Damaged`."""
    try:
        facts = json.loads(head)
        is_ours = facts["key"] == table.key and facts["shape"] == list(table.shape)
        dtype, checksum = facts["dtype"], facts["checksum"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Damaged from None
    if not is_ours or dtype not in STORED_AS[table.dtype.name]:
        raise Damaged
    return np.dtype(dtype), checksum


def _values_begin(rest: int) -> int:
    """Return where the values begin after a head and digests of `rest` bytes together."""
    return -(-(PREFIX.size + rest) // ALIGNMENT) * ALIGNMENT


def _checksum(length: int, rows: int, rest: bytes) -> int:
    return zlib.crc32(rest, zlib.crc32(struct.pack("<IQ", length, rows)))
