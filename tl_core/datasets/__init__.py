"""Datasets: where images and their classes come from. A source is one module of this package.

A source gives `Data`: three splits that share no image, drawn from a seed, and notes about what was
repaired or left out. Loading needs neither Keras nor TensorFlow, so that the pages can show a preview.
"""

from abc import abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np
from pydantic import Field

from tl_core.datasets.images import ArrayImages, FileImages, Images
from tl_core.errors import DataError
from tl_core.registry import Part, Registry

__all__ = ["ArrayImages", "Data", "Dataset", "FileImages", "Images", "build", "datasets", "register"]


@dataclass(frozen=True)
class Data:
    """A dataset in three splits that share no image. Labels are indices into `class_names`.

    `validation` may be empty; `train` and `test` may not, and there are at least two classes
    (`DataError` otherwise). `notes` are sentences about files that were left out or repaired.
    """

    class_names: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.class_names) < 2:
            raise DataError(
                "A classifier needs at least two classes, and there is only one here.",
                "Put one folder per class inside the dataset's folder.",
                received=", ".join(self.class_names) or "no class",
            )
        for split, images in (("train", self.train), ("test", self.test)):
            if not len(images):
                raise DataError(f"The {split} split has no images.", "Choose more labels a class, or a dataset with more images.")

    def cut_to(self, at_most: int | None) -> "Data":
        """The same with at most so many training and so many validation images, drawn evenly; None leaves them all."""
        if at_most is None:
            return self
        train, validation = (
            images.take(np.linspace(0, len(images) - 1, at_most).astype(np.intp)) if len(images) > at_most else images
            for images in (self.train, self.validation)
        )
        return replace(self, train=train, validation=validation)


class Dataset(Part):
    """A source of labelled images."""

    labels_per_class: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        title="Labels a class",
        description="How many labelled training images of each class may be used; empty uses all of them.",
        json_schema_extra={"empty": "all"},
    )

    @abstractmethod
    def load(self, seed: int) -> Data:
        """The splits, with the training images drawn by `seed`. The test images never depend on `seed` or on
        `labels_per_class`, so that runs can be compared image by image. Raises `DataError`."""

    @property
    def fetches(self) -> bool:
        """Whether `load` would go to the network, which only a run may do, and only where it was asked to."""
        return False

    def require_readable(self, seed: int) -> None:
        """Raise the `DataError` that a run from `seed` would meet when it reads the dataset, where that costs no download."""
        if not self.fetches:
            self.load(seed)

    def location(self) -> str:
        """Where the images come from, for people: a package, a folder."""
        return "a package on this machine"


datasets: Registry[Dataset] = Registry("dataset", "tl_core.datasets")
register = datasets.register
build = datasets.build
