"""What lies in a zip, tar or tar.gz, one member after the other, as a stream."""

import contextlib
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, Literal, Self

from tl_core.errors import DataError, printable

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    ArithmeticError,
    TypeError,
    RuntimeError,
    LookupError,
)
"""What the standard library was seen to raise, or can, on damaged archives, beside an `OSError` without a number. RuntimeError: a
compression that it does not know, or a member that is encrypted."""
ENTRY = b"PK\1\2"
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways to pack that the library unpacks a little at a time; of others (bzip2, LZMA) a few bytes may swell to all of the memory
before anybody can measure it."""
READ_BYTES = 1 << 20
LONG_NAME_BYTES = 1 << 16
"""Of a name that stands in a tar as an entry of its own, which the library reads into memory."""
LONG_NAMES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


@dataclass(frozen=True)
class Member:
    """One entry, of `size` bytes as it says itself. `blocks` gives its content in pieces of at most so many bytes; `read_share`
    is how much of the archive lies before its end, 0..1."""

    name: str
    size: int
    is_folder: bool
    is_special: bool
    is_encrypted: bool
    read_share: float
    opened: Callable[[], IO[bytes] | None]

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the content in pieces of at most `size` bytes. Raises `DataError` where it is damaged."""
        with told_damage(self.name):
            source = self.opened()
            if source is None:
                return
            with source:
                while block := source.read(size):
                    yield block


def members(file: BinaryIO, most: int) -> Iterator[Member]:
    """Yield the members of an archive, whose kind is known by its first bytes. Raises `DataError` where it is no archive, is
    damaged, or has more than `most` members."""
    with told_damage("the archive"):
        size, start = os.fstat(file.fileno()).st_size, file.read(512)
        file.seek(0)
        if start.startswith((b"PK\3\4", b"PK\5\6")):
            yield from _of_zip(file, most)
        elif start.startswith(b"\x1f\x8b"):
            yield from _of_tar(file, size, most, "r|gz")
        elif start[257:262] == b"ustar":
            yield from _of_tar(file, size, most, "r|")
        else:
            raise DataError("This is no archive of a kind that can be read.", "Give a zip, tar or tar.gz file.")


@contextlib.contextmanager
def told_damage(name: str) -> Iterator[None]:
    """Turn the standard library's errors for a damaged archive into a `DataError` that names `name`."""
    try:
        yield
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the archive's
        raise DataError(
            f"This archive is damaged or cut off ({' '.join(str(error).split()) or type(error).__name__}).",
            "Make or download it again.",
            received=printable(name)[:200],
        ) from None


def _of_zip(file: BinaryIO, most: int) -> Iterator[Member]:
    _require_few(_marks(file), most)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        _require_few(len(entries), most)
        _require_apart(entries)
        require_measurable(archive)
        done, total = 0, sum(entry.compress_size for entry in entries) or 1
        for entry in entries:
            done += entry.compress_size
            kind = stat.S_IFMT(entry.external_attr >> 16)
            yield Member(
                name=entry.filename,
                size=entry.file_size,
                is_folder=entry.is_dir(),
                is_special=kind not in {0, stat.S_IFREG, stat.S_IFDIR},
                is_encrypted=bool(entry.flag_bits & 1),
                read_share=done / total,
                opened=lambda entry=entry: archive.open(entry),  # type: ignore[misc]  # mypy cannot tell a default's type
            )


def require_measurable(archive: zipfile.ZipFile) -> None:
    """Raise `DataError` for a zip with an entry of which more than was asked for would be unpacked at once."""
    for entry in archive.infolist():
        if entry.compress_type not in PACKED:
            raise DataError(
                "This archive is not unpacked, since it is packed in a way that cannot be measured while it is unpacked.",
                "Make it again as a usual zip (deflate).",
                received=printable(entry.filename),
            )


def _marks(file: BinaryIO) -> int:
    """Return about how many entries a zip has, before the library makes an object of each. Their marks are counted in the whole
    file, since only the library knows all ways to say where the directory of a zip lies."""
    count = 0
    while block := file.read(READ_BYTES):
        count += block.count(ENTRY)
    file.seek(0)
    return count


def _require_apart(entries: list[zipfile.ZipInfo]) -> None:
    """Raise `DataError` for entries that share bytes: so a zip can unpack to petabytes (Fifield 2019, A better zip bomb)."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise DataError(
                "This archive is not unpacked, since its files overlap.", "Make it again.", received=printable(entry.filename)
            )
        end = entry.header_offset + entry.compress_size


class _Entry(tarfile.TarInfo):
    """One whose name is not a gigabyte, in an archive that goes on to its end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the entry as the library does, which takes a stream that breaks off between two files for a whole one."""
        if len(buf) < tarfile.BLOCKSIZE:
            raise EOFError("it breaks off")
        return super().frombuf(buf, encoding, errors)

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in LONG_NAMES and self.size > LONG_NAME_BYTES:
            raise tarfile.ReadError("a name in it is too long")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._refuse_sparse()
        return super()._proc_member(tar)  # type: ignore[misc]  # it is there in all versions, if not in the stubs

    def _refuse_sparse(self, *_: object) -> None:
        """Raise `ReadError` for a file with holes: the library would keep the list of them, which may have no end."""
        raise tarfile.ReadError("a file in it has holes")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


def _of_tar(file: BinaryIO, size: int, most: int, mode: Literal["r|", "r|gz"]) -> Iterator[Member]:
    count = 0
    with tarfile.open(fileobj=file, mode=mode, tarinfo=_Entry) as archive:  # nothing is extracted by it
        while (entry := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # or it would keep a million of them
            archive.pax_headers = {}  # and what it was told of all that follow
            count += 1
            _require_few(count, most)
            yield Member(
                name=entry.name,
                size=entry.size,
                is_folder=entry.isdir(),
                is_special=not (entry.isreg() or entry.isdir()),
                is_encrypted=False,
                read_share=min(1.0, file.tell() / (size or 1)),
                opened=lambda entry=entry: archive.extractfile(entry),  # type: ignore[misc]  # as above
            )
    if not count:
        raise tarfile.ReadError("nothing is in it")


def _require_few(count: int, most: int) -> None:
    if count > most:
        raise DataError(
            f"This archive is not unpacked, since it has more than {most:,} files.",
            "Put them into several archives, or give their folder as an image folder.",
            received=f"{count:,} or more",
        )
