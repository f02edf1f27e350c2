"""Class folders that lie deeper than one level: what each level would give, and why there is no image where none was found."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tl_core.data.formats.folders import EXTENSIONS, FolderListing
from tl_core.data.split_names import split_named
from tl_core.errors import DataError, printable
from tl_core.notes import LEFT_OUT, NoteKind

DEEPEST, MOST_FOLDERS, EXAMPLES = 6, 5_000, 3
"""Levels that are offered, folders that are looked at: somebody may choose the root of a disk; and classes of a level that are
named."""


@dataclass(frozen=True)
class Level:
    """What the class level `number` would give: how many images each class has, by its name. With `is_part` there are more
    folders than were looked at."""

    number: int
    counts: dict[str, int]
    is_part: bool = False

    @property
    def classes(self) -> str:
        """Return how many classes it has, in words."""
        return self._at_least(len(self.counts))

    @property
    def images(self) -> str:
        """Return how many images it has in all, in words."""
        return self._at_least(sum(self.counts.values()))

    def _at_least(self, count: int) -> str:
        return f"{count:,}{' or more' if self.is_part else ''}"

    def __str__(self) -> str:
        some = ", ".join(f"{printable(name)} {count:,}" for name, count in islice(self.counts.items(), EXAMPLES))
        others = ", and others" if len(self.counts) > EXAMPLES else ""
        return f"{self.number} for {self.classes} classes (images: {some}{others})"


class NestedImagesError(DataError):
    """Images of one class at most lie where the classes were looked for, and deeper folders hold some. `levels` are the ones to
    choose from."""

    def __init__(self, what: str, levels: Sequence[Level], received: str) -> None:
        self.levels = tuple(levels)
        super().__init__(what, f"Set dataset.class_level to {', or to '.join(map(str, levels))}.", received=received)


def levels_below(base: Path) -> list[Level]:
    """Return every level of folders below `base` that makes at least two classes, the first one first."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    found = list(islice(_folders_with_images(base), MOST_FOLDERS + 1))
    for folder, images in found[:MOST_FOLDERS]:
        for depth in range(1, min(len(folder.parts), DEEPEST) + 1) if images else ():
            counts[depth][Path(*folder.parts[:depth]).as_posix()] += images
    is_part = len(found) > MOST_FOLDERS
    return [Level(depth, dict(counted), is_part) for depth, counted in sorted(counts.items()) if len(counted) > 1]


def _folders_with_images(base: Path) -> Iterator[tuple[Path, int]]:
    """Yield each folder, relative to `base`, and its number of images, which may be 0, so that whoever counts can give up. Links
    are not counted, since most lead to places outside the data."""
    for place, folders, files in os.walk(base):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = [
            file for file in map(Path(place).joinpath, files) if file.suffix.lower() in EXTENSIONS and not file.is_symlink()
        ]
        yield Path(place).relative_to(base), len(images)


def require_images(listing: FolderListing, class_level: int | None) -> None:
    """Raise the `DataError` that says why no class of `listing` has an image to train on, and what to do; see `NestedImagesError`
    for images that lie deeper, beside one class or none."""
    names = list(listing.splits["train"])
    if len(names) > 1:
        return
    what, received = _what_is_here(listing, class_level), printable(str(listing.root))
    levels = levels_below(listing.bases["train"])
    if inner := _folder_of_splits(levels):
        next_step = f"Choose the folder {printable(inner)}, or pack it alone."
        raise DataError(f"{what} Folders named like splits lie in {printable(inner)}.", next_step, received=received)
    if levels := [level for level in levels if not all(map(_is_split, level.counts))]:
        where = "deeper" if class_level is None else "at other levels"
        many = "Others" if names else levels[0].images
        raise NestedImagesError(f"{what} {many} lie {where}.", levels, received)
    if names:
        return  # who divides the images tells of one class
    reasons = sorted(listing.left_out.items(), key=lambda reason: -len(reason[1]))
    told = [f"{LEFT_OUT[reason]}: {len(names):,}, such as {names[0]}." for reason, names in reasons]
    next_step = f"Put the images ({', '.join(sorted(EXTENSIONS))}) of each class into a folder of their own."
    if {NoteKind.LINKED_FOLDERS, NoteKind.LINKS_OUT} & set(listing.left_out):
        next_step += " Links are followed to images inside this folder alone: copy what they lead to."
    raise DataError(" ".join([what, *told]), next_step, received=received)


def _what_is_here(listing: FolderListing, class_level: int | None) -> str:
    """Return a sentence on what was found where the classes were looked for: one class, loose images, or nothing."""
    if names := list(listing.splits["train"]):
        return f"There are images of one class alone here: {printable(names[0])}."
    loose = sum(Path(name).suffix.lower() in EXTENSIONS for name in listing.left_out.get(NoteKind.FILES_BESIDE_CLASSES, ()))
    if class_level is not None:
        return f"There are no images {class_level} folders deep here."
    return f"{loose:,} images lie in this folder without a class." if loose else "There are no images in class folders here."


def _is_split(name: str) -> bool:
    """Return whether a class of a level, given by its path, is a folder named like a split."""
    return split_named(Path(name).name) is not None


def _folder_of_splits(levels: Sequence[Level]) -> str | None:
    """Return the one folder, in which all images lie in folders named like splits, if there is one."""
    for level in levels:
        parents = {Path(name).parent for name in level.counts}
        if level.number > 1 and len(parents) == 1 and all(map(_is_split, level.counts)):
            return parents.pop().as_posix()
    return None
