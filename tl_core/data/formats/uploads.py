"""Archives that were brought here, each unpacked once into a folder of its own below the home."""

import contextlib
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from pydantic import TypeAdapter

from tl_core.data.formats.archives import unpack
from tl_core.data.formats.paths import leads_to
from tl_core.errors import DataError, StorageError, printable
from tl_core.notes import StoredNote
from tl_core.system import settings

CONTENT, ABOUT = "content", "about.json"
ID_DIGITS = 16
STALE_SECONDS = 86_400.0
"""No unpacking takes longer: what is that old was left by a process that was killed."""
COPY_BYTES = 1 << 20
UNPACKED_SHARE = 0.9
"""Of the work of bringing an archive here; the rest is reading it once before."""

Report = Callable[[float], None]
"""Is told which share of the work is done, 0..1."""


@dataclass(frozen=True)
class Upload:
    """An unpacked archive: the `folder` it is in, what its file was called, how many files of so many bytes it had, and notes
    on what was left out. `at` is when it came, in seconds since 1970."""

    folder: Path
    title: str
    files: int
    bytes: int
    at: float
    notes: tuple[StoredNote, ...]

    @property
    def content(self) -> Path:
        """Return the folder with what was in the archive."""
        return self.folder / CONTENT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the upload in `folder`. Raises `DataError` where there is none."""
        try:
            if not leads_to(folder / CONTENT, folder.resolve()):  # made by hand, to lead elsewhere
                raise FileNotFoundError(folder / CONTENT)
            return TypeAdapter(cls).validate_python(json.loads((folder / ABOUT).read_bytes()) | {"folder": folder})
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                "This upload is not here any more.", "Upload the archive again.", received=printable(str(folder))
            ) from error


def kept(home: Path) -> list[Upload]:
    """Return all uploads of a home, the newest first."""
    found = []
    for folder in settings.uploads(home).glob("[0-9a-f]*"):
        try:
            found.append(Upload.read(folder))
        except DataError:
            continue  # it is being removed
    return sorted(found, key=lambda upload: -upload.at)


def keep(source: BinaryIO, title: str, home: Path, report: Report) -> Upload:
    """Unpack the archive in `source`, from a file called `title`; one that was unpacked before is not unpacked again.

    The upload appears whole or not at all, also where `report` raises to give up. Raises `DataError` for an archive that cannot
    be trusted or read, `StorageError` where there is no room for it.
    """
    place = settings.uploads(home)
    partial = place / f".partial-{secrets.token_hex(8)}"
    try:
        partial.mkdir(parents=True)
        _sweep(place)
        archive = partial / "archive"
        folder = place / _copy(source, archive)[:ID_DIGITS]
        if folder.exists():
            return Upload.read(folder)
        report(1 - UNPACKED_SHARE)
        content = partial / CONTENT
        unpacked = unpack(archive, content, title=title, report=lambda share: report(1 - UNPACKED_SHARE * (1 - share)))
        archive.unlink()
        upload = Upload(folder, printable(title), unpacked.files, unpacked.bytes, time.time(), unpacked.notes)
        about = {name: value for name, value in asdict(upload).items() if name != "folder"}
        (partial / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        _appear(partial, folder)
        return upload
    except OSError as error:
        raise StorageError(
            f"The archive cannot be kept ({error.strerror or error}).",
            "Free some space on that disk and try again.",
            received=place,
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove(upload: Upload) -> None:
    """Delete the upload; whoever reads it meets missing files. Raises `StorageError`."""
    gone = upload.folder.with_name(f".partial-{secrets.token_hex(8)}")
    try:
        upload.folder.rename(gone)
    except OSError as error:
        raise StorageError(f"This upload cannot be removed ({error.strerror}).", received=upload.folder) from error
    shutil.rmtree(gone, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Delete what processes that were killed left half-way."""
    for partial in place.glob(".partial-*"):
        with contextlib.suppress(FileNotFoundError):  # somebody else's, which is done
            if time.time() - partial.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(partial, ignore_errors=True)


def _copy(source: BinaryIO, archive: Path) -> str:
    """Write what is in `source` to `archive` and return its sha256, in hexadecimal."""
    digest = hashlib.sha256()
    with archive.open("wb") as file:
        while part := source.read(COPY_BYTES):
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def _appear(partial: Path, folder: Path) -> None:
    """Give the unpacked archive its name, unless somebody else has just unpacked the same."""
    try:
        partial.rename(folder)
    except OSError:
        if not (folder / ABOUT).is_file():
            raise
