"""What lies in a folder of images: one folder a class, perhaps below train, validation and test. Nothing is opened."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tl_core.datasets.files import existing_folder, unreadable
from tl_core.errors import DataError, printable

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
SPLIT_FOLDERS = {"train": ("train", "training"), "validation": ("validation", "valid", "val"), "test": ("test", "testing")}
SPLITS = {spelling: split for split, spellings in SPLIT_FOLDERS.items() for spelling in spellings} | {"dev": "validation"}
"""Of a name in data that have one for each split."""
EXAMPLES = 3

Classes = dict[str, list[Path]]


@dataclass
class Listing:
    """Image files by split and by class. `train` is always there and, where the folder is not split, alone.

    `left_out` has, for each reason in words, the paths that were left out, relative to `root`; `top` is the folder below it in
    which the classes, or the splits, were found.
    """

    root: Path
    top: Path
    splits: dict[str, Classes] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, reason: str, path: Path) -> None:
        """Remember that the file or folder at `path` is not used."""
        self.left_out.setdefault(reason, []).append(printable(str(path.relative_to(self.root))))

    def notes(self) -> tuple[str, ...]:
        """Where the classes were found, if not in `root`, and a sentence for each reason, with a count and a few examples."""
        within = printable(str(self.top.relative_to(self.root)))
        found = [f"The classes were found further down, in {within}."] if self.top != self.root else []
        return (*found, *(left_out_note(reason, len(paths), paths) for reason, paths in sorted(self.left_out.items())))


def left_out_note(reason: str, count: int, names: Sequence[str]) -> str:
    """A sentence on what was left out for a `reason`: how many, and the first few of their `names` (those that are known)."""
    others = ", and others" if count > EXAMPLES else ""
    return f"{reason}: {count:,} left out ({', '.join(names[:EXAMPLES])}{others})."


def list_images(folder: Path) -> Listing:
    """All image files below `folder`, which is descended into while it holds nothing but one folder of folders.

    Names are sorted. Raises `DataError` where there is no folder, no permission, or no image in a class folder.
    """
    root = existing_folder(folder)
    listing = Listing(root, root)
    folders, files = _entries(listing.top, listing)
    while len(folders) == 1 and _has_folders(folders[0]):
        _leave_out_all(files, listing)
        listing.top = folders[0]
        folders, files = _entries(listing.top, listing)
    _leave_out_all(files, listing)
    parts = _split_folders(folders)
    for split, part in parts.items():
        below, stray = _entries(part, listing)
        _leave_out_all(stray, listing)
        listing.splits[split] = _classes(below, listing)
    if parts:
        for other in (folder for folder in folders if folder not in parts.values()):
            listing.leave_out("Folders beside train, validation and test", other)
    else:
        listing.splits["train"] = _classes(folders, listing)
    _settle_links(listing)
    _require_images(listing, files)
    return listing


def _entries(folder: Path, listing: Listing) -> tuple[list[Path], list[Path]]:
    """Folders and files in `folder`, sorted, without what is hidden and without links to folders."""
    folders: list[Path] = []
    files: list[Path] = []
    for entry in _scan(folder):
        path = Path(entry.path)
        if _hidden(entry):
            listing.leave_out("Hidden files and folders", path)
        elif entry.is_dir(follow_symlinks=False):
            folders.append(path)
        elif entry.is_symlink() and (target := _target(path)) and target.is_dir():
            listing.leave_out("Links to folders", path)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            files.append(path)
        else:
            listing.leave_out("Devices and pipes", path)
    return folders, files


def _scan(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from None


def _hidden(entry: "os.DirEntry[str]") -> bool:
    return entry.name.startswith(".") or entry.name == "__MACOSX"


def _has_folders(folder: Path) -> bool:
    return any(entry.is_dir(follow_symlinks=False) and not _hidden(entry) for entry in _scan(folder))


def _split_folders(folders: list[Path]) -> dict[str, Path]:
    """The folder of each split, or nothing where the folders are classes: a class may be called train, as in traffic."""
    by_name = {folder.name.lower(): folder for folder in folders}
    found = {split: by_name[name] for split, names in SPLIT_FOLDERS.items() for name in reversed(names) if name in by_name}
    return found if "train" in found and _has_folders(found["train"]) else {}


def _classes(folders: list[Path], listing: Listing) -> Classes:
    """Image files and links in each class folder that has any."""
    classes: Classes = {}
    for folder in folders:
        below, files = _entries(folder, listing)
        for other in below:
            listing.leave_out("Folders inside class folders", other)
        images = [file for file in files if file.suffix.lower() in EXTENSIONS]
        for file in files:
            if file.suffix.lower() not in EXTENSIONS:
                listing.leave_out("Files that are not images by their name", file)
        if images:
            classes[folder.name] = images
        else:
            listing.leave_out("Class folders without an image", folder)
    return classes


def _leave_out_all(files: list[Path], listing: Listing) -> None:
    for file in files:
        listing.leave_out("Files beside the class folders", file)


def _settle_links(listing: Listing) -> None:
    """Keep a link only where its target lies inside the dataset and is not listed already: splits must share no image."""
    seen = {path for path in _every(listing) if not path.is_symlink()}
    for classes in listing.splits.values():
        for name, paths in list(classes.items()):
            classes[name] = [path for path in paths if path in seen or _keep_link(path, seen, listing)]
            if not classes[name]:
                del classes[name]
                listing.leave_out("Class folders without an image", paths[0].parent)


def _keep_link(path: Path, seen: set[Path], listing: Listing) -> bool:
    target = _target(path)
    if target is None or not target.is_relative_to(listing.root) or not target.is_file():
        listing.leave_out("Links that lead out of the dataset or nowhere", path)
        return False
    if target in seen:
        listing.leave_out("Links to images that are here already", path)
        return False
    seen.add(target)
    return True


def _target(link: Path) -> Path | None:
    """Where `link` leads, or nothing where it leads nowhere, to itself, or to where this user may not look."""
    try:
        return link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return None


def _every(listing: Listing) -> Iterator[Path]:
    for classes in listing.splits.values():
        for paths in classes.values():
            yield from paths


def _require_images(listing: Listing, beside: list[Path]) -> None:
    if listing.splits["train"]:
        return
    loose = sum(file.suffix.lower() in EXTENSIONS for file in beside)
    raise DataError(
        f"{loose:,} images lie in this folder without a class." if loose else "There are no images in class folders here.",
        f"Put the images ({', '.join(sorted(EXTENSIONS))}) of each class into a folder of their own.",
        received=printable(str(listing.root)),
    )
