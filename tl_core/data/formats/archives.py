"""Archives of data, unpacked without trust: nothing leads out of the folder, nothing swells, nothing stays half done."""

import errno
import hashlib
import os
import secrets
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PureWindowsPath

from tl_core.data.formats.archive_formats import Member, members
from tl_core.data.formats.folders import EXTENSIONS
from tl_core.errors import DataError, StorageError, printable
from tl_core.notes import MOST_NAMED, Note, NoteKind, sentences

TABLES = frozenset({".csv", ".tsv", ".parquet", ".txt", ".json", ".npz"})
ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
COPY_BYTES = 1 << 20
RESERVE_BYTES = 500_000_000
"""What stays free on the disk: runs are kept there, too."""
NAME_BYTES = 200
"""A longer name is shortened; file systems take 255 bytes."""
DEPTH = 15
"""Folders within each other; with names of `NAME_BYTES` a path is still one that any file system takes."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: so many `members` (the directory of a zip is read as a whole), so many bytes in all and in one of
    them, as they are written. Above `ratio_from` bytes it may unpack to `ratio` times its size at most: photographs hardly
    shrink at all, and tables of text five to twenty times."""

    members: int = 300_000
    total_bytes: int = 200_000_000_000
    member_bytes: int = 2_000_000_000
    ratio: float = 100.0
    ratio_from: int = 20_000_000


LIMITS = Limits()


@dataclass(frozen=True)
class Unpacked:
    """How many files of so many bytes were unpacked, and notes on what was left out."""

    files: int
    bytes: int
    notes: tuple[Note, ...]


def unpack(
    archive: Path,
    folder: Path,
    *,
    title: str = "",
    limits: Limits = LIMITS,
    report: Callable[[float], None] = lambda _: None,
) -> Unpacked:
    """Unpack a zip, tar or tar.gz into `folder`, which appears whole or not at all.

    Only images and tables are unpacked; notes say what else was left out. Raises `DataError` for an archive that leads elsewhere,
    swells or is damaged, and `StorageError` where there is no room for it.

    Args:
        archive: The file to unpack.
        folder: Where to; it must not exist.
        title: What its owner calls the archive, where that is not the name of the file.
        limits: How many members and bytes it may have.
        report: Is told the share of the archive that is read, 0..1; it may raise to give up.
    """
    partial = folder.with_name(f".partial-{secrets.token_hex(8)}")
    try:
        partial.mkdir(parents=True)
        unpacking = _Unpacking(partial, limits, archive.stat().st_size)
        with archive.open("rb") as file:
            for member in members(file, limits.members):
                unpacking.take(member)
                report(min(1.0, member.read_share))
        if not unpacking.files:
            what = " ".join(["This archive holds no images and no tables.", *sentences(unpacking.notes())])
            raise DataError(what, "Put one folder of images a class into it.", received=printable(title or archive.name))
        partial.rename(folder)
    except OSError as error:
        raise _no_room(error, folder) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Unpacked(unpacking.files, unpacking.bytes, unpacking.notes())


@dataclass
class _Unpacking:
    """One archive on its way into `root`."""

    root: Path
    limits: Limits
    archive_bytes: int
    files: int = 0
    bytes: int = 0
    _said: int = 0
    _taken: set[str] = field(default_factory=set)
    _left_out: dict[NoteKind, tuple[int, list[str]]] = field(default_factory=dict)
    _renamed: dict[str, str] = field(default_factory=dict)

    def take(self, member: Member) -> None:
        """Write one member, or leave it out. Raises `DataError` for one that makes the whole archive unusable."""
        parts = _parts(member)
        if member.is_folder:
            return
        self._said += member.size
        self._require_measure(member.size, self._said, member.name)  # what is left out is read, too
        reason = _unwanted(parts)
        named, parts = parts, [spelled(part) for part in parts]
        alike = unicodedata.normalize("NFC", "/".join(parts))
        if not reason and alike in self._taken:
            reason = NoteKind.SAME_NAMES_IN_ARCHIVE
        if reason:
            count, examples = self._left_out.get(reason, (0, []))
            self._left_out[reason] = count + 1, [*examples, printable(member.name)][:MOST_NAMED]
            return
        self._taken.add(alike)
        self._renamed |= {old: new for old, new in zip(named[:-1], parts[:-1], strict=True) if old != new}
        self._write(member, self.root.joinpath(*parts))
        self.files += 1

    def _write(self, member: Member, path: Path) -> None:
        self._require_room()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except (FileExistsError, NotADirectoryError):
            raise _refused("a file and a folder of it have the same name", member.name) from None
        written = 0
        with os.fdopen(descriptor, "wb") as file:
            for block in member.blocks(COPY_BYTES):
                written += len(block)
                self.bytes += len(block)
                self._require_measure(written, self.bytes, member.name)
                file.write(block)

    def _require_measure(self, of_member: int, of_all: int, name: str) -> None:
        limits = self.limits
        if of_member > limits.member_bytes:
            raise _refused(f"one file of it has more than {limits.member_bytes:,} bytes", name)
        if of_all > limits.total_bytes:
            raise _refused(f"it unpacks to more than {limits.total_bytes:,} bytes", name)
        if of_all > max(limits.ratio_from, limits.ratio * self.archive_bytes):
            raise _refused(f"it swells to more than {limits.ratio:g} times its size", name)

    def _require_room(self) -> None:
        free = shutil.disk_usage(self.root).free
        if free < RESERVE_BYTES:
            raise OSError(errno.ENOSPC, f"only {free / 1e6:,.0f} MB are free on this disk")

    def notes(self) -> tuple[Note, ...]:
        """Return a note for each reason to leave files out, with a count and a few examples."""
        found = ((kind, *self._left_out[kind]) for kind in NoteKind if kind in self._left_out)
        left_out = [Note(kind, (count,), tuple(examples)) for kind, count, examples in found]
        return (*left_out, *self._about_names())

    def _about_names(self) -> list[Note]:
        """Return a note on folders, which may be classes, that have other names here than in the archive."""
        names = [each for old, new in islice(self._renamed.items(), MOST_NAMED) for each in (new, printable(old))]
        return [Note(NoteKind.FOLDERS_RENAMED, (len(self._renamed),), tuple(names))] if names else []


def _parts(member: Member) -> list[str]:
    """Return the folders and the name of a member. Raises `DataError` where it would lie elsewhere, or is no file."""
    if member.is_special:
        raise _refused("it holds a link or a device, through which it could reach other files", member.name)
    if member.is_encrypted:
        raise _refused("it is locked with a password", member.name)
    name = member.name.replace("\\", "/")
    if name.startswith("/") or PureWindowsPath(name).drive or "\0" in name:
        raise _refused("a file in it wants to lie at a place of its own", member.name)
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise _refused("a file in it wants to lie outside of the folder", member.name)
    if len(parts) > DEPTH:
        raise _refused(f"its folders are more than {DEPTH} deep", member.name)
    return parts


def _unwanted(parts: list[str]) -> NoteKind | None:
    """Return why a file is left out; None where it is not."""
    if not parts:
        return NoteKind.NAMELESS_IN_ARCHIVE
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return NoteKind.HIDDEN_IN_ARCHIVE
    ending = Path(parts[-1]).suffix.lower()
    if ending in ARCHIVES:
        return NoteKind.ARCHIVES_IN_ARCHIVE
    return None if ending in EXTENSIONS | TABLES else NoteKind.OTHER_FILES_IN_ARCHIVE


def spelled(part: str) -> str:
    """Return a name that any disk holds and any screen shows; two different ones stay different."""
    safe = "".join(letter if letter.isprintable() else "_" for letter in part).rstrip(". ") or "_"
    if safe == part and len(os.fsencode(part)) <= NAME_BYTES:
        return part
    stem, ending = os.path.splitext(safe)  # noqa: PTH122  # of a name, not of a path
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    short = stem.encode("utf-8", "ignore")[: NAME_BYTES - 40].decode("utf-8", "ignore")
    return f"{short}-{digest}{ending[:20]}"


def _refused(reason: str, name: str) -> DataError:
    return DataError(
        f"This archive is not unpacked, since {reason}.",
        "Make an archive of the images alone, one folder a class.",
        received=printable(name)[:200],
    )


def _no_room(error: OSError, folder: Path) -> StorageError:
    return StorageError(
        f"The archive cannot be unpacked ({error.strerror or error}).",
        "Free some space on that disk, or name another one with TRANSFER_LAB_HOME.",
        received=folder.parent,
    )
