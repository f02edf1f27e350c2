"""What lies in a folder of images: one folder a class, perhaps below train, validation and test. Nothing is opened."""

import os
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tl_core.data.formats.paths import existing_folder, unreadable
from tl_core.data.split_names import EXTRA, UNLABELLED, split_named
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".gif", ".webp", ".tif", ".tiff"})

Classes = dict[str, list[Path]]


@dataclass
class FolderListing:
    """Image files by split and by class. `train` is always there and, where the folder is not split, alone.

    `left_out` has, for each reason, the paths that were left out, relative to `root`; `top` is the folder below it in
    which the classes, or the splits, were found, and `bases` has the folder of each split, in which its classes lie. The split
    `unlabelled` has one class without a name, with all images in and below its folder.
    """

    root: Path
    top: Path
    splits: dict[str, Classes] = field(default_factory=dict)
    bases: dict[str, Path] = field(default_factory=dict)
    left_out: dict[NoteKind, list[str]] = field(default_factory=dict)

    @property
    def is_split(self) -> bool:
        """Return whether the classes lie below the folders of splits."""
        return self.bases != {"train": self.top}

    def leave_out(self, reason: NoteKind, *paths: Path) -> None:
        """Note that the files or folders at `paths` are not used."""
        if paths:
            self.left_out.setdefault(reason, []).extend(printable(str(path.relative_to(self.root))) for path in paths)

    def notes(self) -> list[Note]:
        """Return where the classes were found, if not in `root`, and a note for each reason to leave something out."""
        within = printable(str(self.top.relative_to(self.root)))
        found = [Note(NoteKind.CLASSES_FURTHER_DOWN, about=(within,))] if self.top != self.root else []
        doubtful = [] if self.is_split else [printable(name) for name in self.splits["train"] if split_named(name)]
        found += [Note(NoteKind.SPLITS_AS_CLASSES, names=tuple(doubtful))] if doubtful else []
        return found + [Note.counting(reason, self.left_out[reason]) for reason in NoteKind if reason in self.left_out]


def list_images(folder: Path, class_level: int | None = None) -> FolderListing:
    """Return the image files below `folder`, which is descended into while it holds nothing but one folder of folders.

    The folders there, or in each split, are the classes, with the images that lie in them. With a `class_level` from 1 up the
    classes are the folders that are so many deep, with all images in and below them. Names are sorted. There may be no image.
    Raises `DataError` where there is no folder, no permission, or no telling which folder is a split.
    """
    root = existing_folder(folder)
    listing = FolderListing(root, root)
    folders, files = _entries(listing.top, listing)
    while len(folders) == 1 and _has_folders(folders[0]):
        listing.leave_out(NoteKind.FILES_BESIDE_CLASSES, *files)
        listing.top = folders[0]
        folders, files = _entries(listing.top, listing)
    listing.leave_out(NoteKind.FILES_BESIDE_CLASSES, *files)
    listing.bases = _split_folders(folders) or {"train": listing.top}
    if listing.is_split:
        beside = (folder for folder in folders if folder not in listing.bases.values())
        listing.leave_out(NoteKind.FOLDERS_BESIDE_SPLITS, *beside)
    for split, base in listing.bases.items():
        if split == UNLABELLED:
            listing.splits[split] = _unlabelled(base, listing)
            continue
        below = folders if base == listing.top else _below_split(split, base, listing)
        listing.splits[split] = _classes(listing.bases[split], below, listing, class_level)
    _settle_links(listing)
    for split in [split for split in EXTRA if split in listing.bases and not listing.splits[split]]:
        listing.leave_out(NoteKind.FOLDERS_BESIDE_SPLITS, listing.bases.pop(split))
        del listing.splits[split]
    if not listing.is_split:
        _refuse_bare_splits(folders, listing)
    return listing


def list_unsorted(folder: Path) -> FolderListing:
    """Return all image files in and below `folder`, whatever its folders are called, as those that are unlabelled. Names are
    sorted. There may be no image. Raises `DataError` where there is no folder, or no permission."""
    root = existing_folder(folder)
    listing = FolderListing(root, root, bases={UNLABELLED: root})
    listing.splits[UNLABELLED] = _unlabelled(root, listing)
    _settle_links(listing)
    return listing


def _unlabelled(base: Path, listing: FolderListing) -> Classes:
    return {"": images} if (images := _images_in(base, listing, deep=True)) else {}


def _below_split(split: str, base: Path, listing: FolderListing) -> list[Path]:
    """Return the folders in the folder of a `split`, or in the one that repeats its name, as in train/train, which archives
    make: its base is that one."""
    folders = _folders_in(base, listing)
    while len(folders) == 1 and split_named(folders[0].name) == split and _has_folders(folders[0]):
        listing.bases[split] = folders[0]
        folders = _folders_in(folders[0], listing)
    return folders


def _folders_in(folder: Path, listing: FolderListing) -> list[Path]:
    folders, files = _entries(folder, listing)
    listing.leave_out(NoteKind.FILES_BESIDE_CLASSES, *files)
    return folders


def _entries(folder: Path, listing: FolderListing) -> tuple[list[Path], list[Path]]:
    """Return folders and files in `folder`, sorted, without what is hidden and without links to folders."""
    folders: list[Path] = []
    files: list[Path] = []
    for entry in _scan(folder):
        path = Path(entry.path)
        if _hidden(entry):
            listing.leave_out(NoteKind.HIDDEN_FILES, path)
        elif entry.is_dir(follow_symlinks=False):
            folders.append(path)
        elif entry.is_symlink() and (target := _target(path)) and target.is_dir():
            listing.leave_out(NoteKind.LINKED_FOLDERS, path)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            files.append(path)
        else:
            listing.leave_out(NoteKind.DEVICES, path)
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
    """Return the folder of each split, or nothing where the folders are classes: a class may be called train, as in traffic.
    Raises `DataError` where two could be the same split and neither has its plain name."""
    named: dict[str, list[Path]] = {}
    for folder in folders:
        if split := split_named(folder.name) or split_named(folder.name, EXTRA):
            named.setdefault(split, []).append(folder)
    if not any(map(_has_folders, named.get("train", ()))):
        return {}
    found = {split: [each for each in alike if each.name.lower() == split] or alike for split, alike in named.items()}
    for split, alike in found.items():
        if len(alike) > 1:
            raise DataError(
                f"Several folders could be the {split} split.",
                f"Call one of them {split}, or move the others away.",
                received=printable(", ".join(folder.name for folder in alike)),
            )
    return {split: alike[0] for split, alike in found.items()}


def _refuse_bare_splits(folders: list[Path], listing: FolderListing) -> None:
    """Raise `DataError` where all folders with anything in them are named like splits, and yet there are no classes to train."""
    filled = [folder for folder in folders if folder.name in listing.splits["train"] or _has_folders(folder)]
    if not filled or not all(split_named(folder.name) for folder in filled):
        return
    names = printable(" and ".join(folder.name for folder in filled))
    if any(split_named(folder.name) == "train" for folder in filled):
        what = f"These are splits without classes: {names}."
    else:
        what = f"There are no training images here, only splits: {names}."
    raise DataError(
        what,
        "Put one folder per class into each of train, validation and test. Where a table says the class of each image, choose "
        "the source csv_manifest; where these are classes, give them other names.",
        received=printable(str(listing.root)),
    )


def _classes(base: Path, folders: list[Path], listing: FolderListing, level: int | None) -> Classes:
    """Return the image files and links of each class, by its path below `base`, for those that have any."""
    for _ in range(1, level or 1):
        folders = [below for folder in folders for below in _folders_in(folder, listing)]
    classes: Classes = {}
    for folder in folders:
        images = _images_in(folder, listing, deep=level is not None)
        if images:
            classes[folder.relative_to(base).as_posix()] = images
        else:
            listing.leave_out(NoteKind.EMPTY_CLASS_FOLDERS, folder)
    return classes


def _images_in(folder: Path, listing: FolderListing, *, deep: bool) -> list[Path]:
    """Return the image files in `folder` and, where that is `deep`, in the folders below it."""
    files = _files_of(folder, listing, deep=deep)
    images = [file for file in files if file.suffix.lower() in EXTENSIONS]
    listing.leave_out(NoteKind.FILES_WITHOUT_IMAGE_NAMES, *(file for file in files if file.suffix.lower() not in EXTENSIONS))
    return images


def _files_of(folder: Path, listing: FolderListing, *, deep: bool) -> list[Path]:
    """Return the files in `folder` and, where that is `deep`, in the folders below it."""
    below, files = _entries(folder, listing)
    while deep and below:
        deeper, more = _entries(below.pop(0), listing)
        below, files = deeper + below, files + more
    listing.leave_out(NoteKind.FOLDERS_IN_CLASSES, *below)
    return files


def _settle_links(listing: FolderListing) -> None:
    """Keep a link only where its target lies inside the dataset and is not listed already: splits must share no image."""
    every = chain.from_iterable(chain.from_iterable(classes.values()) for classes in listing.splits.values())
    seen = {path for path in every if not path.is_symlink()}
    for classes in listing.splits.values():
        for name, paths in list(classes.items()):
            classes[name] = [path for path in paths if path in seen or _keep_link(path, seen, listing)]
            if not classes[name]:
                del classes[name]
                listing.leave_out(NoteKind.EMPTY_CLASS_FOLDERS, paths[0].parent)


def _keep_link(path: Path, seen: set[Path], listing: FolderListing) -> bool:
    target = _target(path)
    if target is None or not target.is_relative_to(listing.root) or not target.is_file():
        listing.leave_out(NoteKind.LINKS_OUT, path)
        return False
    if target in seen:
        listing.leave_out(NoteKind.LINKED_TWICE, path)
        return False
    seen.add(target)
    return True


def _target(link: Path) -> Path | None:
    """Return where `link` leads; None where it leads nowhere, to itself, or to where this user may not look."""
    try:
        return link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return None
