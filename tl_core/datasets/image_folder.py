"""Images of your own: one folder a class."""

import tempfile
from functools import cache
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from PIL import Image
from pydantic import Field

from tl_core.data.formats.class_levels import DEEPEST, require_images
from tl_core.data.formats.class_spelling import joined_by_name
from tl_core.data.formats.folders import Classes, list_images
from tl_core.data.images import UnlabelledFiles
from tl_core.data.split_names import SOURCE, UNLABELLED
from tl_core.datasets import FileImages, register
from tl_core.datasets._user_data import Given, UserDataset
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system.settings import ServerPath


class ClassFolders(UserDataset):
    """Images in class folders."""

    class_level: int | None = Field(
        None,
        ge=1,
        le=DEEPEST,
        title="Class level",
        description="How many folders deep the classes are, each with all images in and below it; empty takes the first folders, "
        "with what lies directly in them. Where images lie deeper, you are told what each level would give.",
        json_schema_extra={"more": True},
    )

    def in_class_folders(self, folder: Path) -> Given:
        """Return the images in class folders below `folder`, in the splits that are there. Raises `DataError`."""
        listing = list_images(folder, self.class_level)
        require_images(listing, self.class_level)
        splits, joined = joined_by_name(listing.splits)
        names = sorted(splits["train"])
        shown = tuple(printable(name) for name in names)
        if strange := sorted(splits.get(SOURCE, {}).keys() - splits["train"].keys()):
            joined.append(Note.counting(NoteKind.SPLIT_OF_OTHER_CLASSES, list(map(printable, strange)), [SOURCE]))
            del splits[SOURCE]
        given = {split: _gather(classes, names, split) for split, classes in splits.items() if classes}
        return Given(shown, given, [*listing.notes(), *joined])


@register("image_folder")
class ImageFolder(ClassFolders):
    """Images of your own, in a folder with one folder a class.

    Above the class folders there may be train, validation and test; what is missing is split off from the training
    images, by their content: the same for every run and on every machine. Images are decoded when they are needed.
    """

    title: ClassVar[str] = "Image folder"
    listing_order: ClassVar[int] = 20
    second_class: ClassVar[str] = "Put one folder per class inside the dataset's folder."

    path: ServerPath | None = Field(
        None,
        title="Folder",
        description="Folder with one folder of images a class, or with train, validation and test above those.",
    )

    @classmethod
    def example(cls) -> Self:
        return cls(path=Path(_example_folder().name))

    def given(self) -> Given:
        if self.path is None:
            raise DataError("No folder is chosen yet.", "Give the folder of the images as dataset.path.")
        return self.in_class_folders(self.path)

    def location(self) -> str:
        return printable(str(self.path)) if self.path else "a folder yet to be chosen"


def _gather(classes: Classes, names: list[str], split: str) -> FileImages:
    """Return the images of one split, class by class. Raises `DataError` for a class that the training images lack."""
    if split == UNLABELLED:
        return UnlabelledFiles(tuple(chain(*classes.values())))
    unknown = [printable(name) for name in classes if name not in names]
    if unknown:
        raise DataError(
            f"The {split} images have a class without training images: {unknown[0]}.",
            "Use the same class folders in each split.",
            received=f"classes {', '.join(map(printable, names))} for training",
        )
    paths = tuple(path for name in names for path in classes.get(name, ()))
    counts = [len(classes.get(name, ())) for name in names]
    return FileImages(paths, np.repeat(np.arange(len(names), dtype=np.int64), counts))


@cache
def _example_folder() -> "tempfile.TemporaryDirectory[str]":
    """Make three classes with twelve small images of noise each; return their folder, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="transfer_lab_images_")
    rng = np.random.default_rng(0)
    for name in ("blue", "green", "red"):
        Path(folder.name, name).mkdir()
        for number in range(12):
            pixels = rng.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder.name, name, f"{number:02}.png"))
    return folder
