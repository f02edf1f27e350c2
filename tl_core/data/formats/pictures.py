"""Pictures without labels, wherever somebody has them: files, folders, archives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from tl_core.data.formats import uploads
from tl_core.data.formats.archives import ARCHIVES, spelled
from tl_core.data.formats.folders import list_unsorted
from tl_core.data.images import FileImages
from tl_core.data.split_names import UNLABELLED
from tl_core.errors import DataError, printable
from tl_core.notes import Note
from tl_core.system import settings
from tl_core.system.files import storage_error, write_whole


@dataclass(frozen=True)
class Pictures:
    """Files that are called pictures, none of them opened yet, with the name of each, and `notes` on what was left out."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    notes: tuple[Note, ...]

    def images(self, chosen: Sequence[int]) -> FileImages:
        """Return those at `chosen` as examples. They have no labels, and are all said to be of class 0."""
        return FileImages(tuple(self.files[index] for index in chosen), np.zeros(len(chosen), np.int64))


def require_there(paths: Sequence[Path]) -> None:
    """Raise `DataError` where one of the `paths` is neither a file nor a folder, or where there is none."""
    if not paths:
        raise DataError("No picture is given.", "Name files, folders or archives.")
    for path in paths:
        if not _is_there(path):
            raise DataError("There is no such file or folder.", "Check its spelling.", received=printable(str(path)))


def pictures_at(paths: Sequence[Path], home: Path) -> Pictures:
    """Return the pictures at `paths`: each is a file, whatever it is called, a folder with all images in and below it, or an
    archive, which is unpacked below `home` as one that is uploaded. Raises `DataError` where there is none, or where an archive
    cannot be trusted, and `StorageError`."""
    require_there(paths)
    files, names, notes = list[Path](), list[str](), list[Note]()
    for path in paths:
        folder = settings.absolute(path)
        if folder.is_file() and folder.suffix.lower() in ARCHIVES:
            with folder.open("rb") as source:
                upload = uploads.keep(source, folder.name, home, lambda _: None)
            folder, left_out = upload.content, upload.notes
        else:
            left_out = ()
        if not folder.is_dir():
            files.append(folder)
            names.append(printable(folder.name))
            continue
        listing = list_unsorted(folder)
        found = listing.splits[UNLABELLED].get("", [])
        files += found
        names += [printable(str(file.relative_to(listing.root))) for file in found]
        notes += [*left_out, *listing.notes()]
    if not files:
        raise DataError(
            "There are no images here.", "Name files, folders or archives of images.", received=printable(str(paths[0]))
        )
    return Pictures(tuple(files), tuple(names), tuple(notes))


def bring(brought: Sequence[tuple[str, bytes]], place: Path) -> tuple[Path, ...]:
    """Write files that a browser has brought, given by name and content, to a folder below `place` that is theirs alone, and
    return where each is. The same files always lie in the same folder. Raises `StorageError`."""
    digest, files = sha256(), dict[str, bytes]()
    for number, (name, content) in enumerate(brought):
        safe = spelled(name.replace("\\", "/").rpartition("/")[2])
        files[f"{number}-{safe}" if safe in files else safe] = content
        digest.update(repr((safe, sha256(content).digest())).encode())
    folder = place / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if not (folder / name).is_file():
                write_whole(folder / name, partial(Path.write_bytes, data=content))
    except OSError as error:
        raise storage_error(folder, error) from error
    return tuple(folder / name for name in files)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no permission, no name that a disk can hold
        return False
