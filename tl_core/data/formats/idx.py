"""IDX files, the format in which MNIST and its relatives are published: a header, then one byte a value.

The header is two zero bytes, a byte for the type, a byte for the number of dimensions, and each dimension as
a big-endian 32-bit integer.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, printable

UNSIGNED_BYTE = 0x08
MAX_BYTES = 2**31
"""A header that announces more than this is refused before anything is decompressed."""

SMALL, MOST_SWELLING = 2**24, 200
"""Beyond 16 MB a file may be unpacked to so many times its size (MNIST's images: 5 times)."""


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array in the IDX file at `path`, plain or `.gz`, which must be of bytes in `dimensions` dimensions.

    The result cannot be written to. Raises `DataError` where the header does not fit, or the file is longer or shorter than its
    header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            file = cast(BinaryIO, opened)
            shape = _shape(file.read(4 + 4 * dimensions), dimensions, path)
            size = math.prod(shape)
            if size > max(SMALL, MOST_SWELLING * path.stat().st_size):
                raise _broken(path, f"its {path.stat().st_size:,} bytes would swell to {size:,}")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, f"it cannot be read: {error}") from None
    if len(content) != size:
        found = "more" if len(content) > size else f"{len(content):,}"
        raise _broken(path, f"its header announces {size:,} bytes and {found} follow")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write `array` (uint8) to `path` as an IDX file, compressed where the name ends in `.gz`."""
    content = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _shape(header: bytes, dimensions: int, path: Path) -> tuple[int, ...]:
    if len(header) < 4 or header[:2] != b"\0\0":
        raise _broken(path, "it does not begin as an IDX file does")
    kind, count = header[2], header[3]
    if kind != UNSIGNED_BYTE:
        raise _broken(path, f"its values are of type 0x{kind:02x} and not bytes (0x{UNSIGNED_BYTE:02x})")
    if count != dimensions:
        raise _broken(path, f"it has {count} dimensions where {dimensions} are expected")
    if len(header) < 4 + 4 * dimensions:
        raise _broken(path, "it ends inside its header")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if math.prod(shape) > MAX_BYTES:
        raise _broken(path, f"its header announces {math.prod(shape):,} bytes and at most {MAX_BYTES:,} are read")
    return shape


def _broken(path: Path, reason: str) -> DataError:
    return DataError(f"This is not a whole IDX file ({reason}).", "Download it again.", received=printable(str(path)))
