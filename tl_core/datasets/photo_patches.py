"""Square crops of real photographs that installed packages bring along: the class is the photograph."""

from functools import lru_cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.data.decoding import read_image
from tl_core.data.formats.paths import packaged_file
from tl_core.data.images import Pixels
from tl_core.datasets import ArrayImages, Data, Dataset, register

SKIMAGE, SKLEARN = ("skimage", "scikit-image", "data"), ("sklearn", "scikit-learn", "datasets/images")
PHOTOGRAPHS = {
    "astronaut.png": SKIMAGE,
    "brick.png": SKIMAGE,
    "chelsea.png": SKIMAGE,
    "china.jpg": SKLEARN,
    "coffee.png": SKIMAGE,
    "coins.png": SKIMAGE,
    "flower.jpg": SKLEARN,
    "grass.png": SKIMAGE,
    "gravel.png": SKIMAGE,
    "hubble_deep_field.jpg": SKIMAGE,
    "ihc.png": SKIMAGE,
    "moon.png": SKIMAGE,
    "motorcycle_left.png": SKIMAGE,
    "retina.jpg": SKIMAGE,
    "rocket.jpg": SKIMAGE,
    "text.png": SKIMAGE,
}
SMALLEST, LARGEST = 56, 99
TRAIN_STREAM, VALIDATION_STREAM, TEST_STREAM = 1, 2, 3


class Region(NamedTuple):
    """A rectangle of a photograph, in pixels; `bottom` and `right` are outside of it."""

    top: int
    left: int
    bottom: int
    right: int


@register("photo_patches")
class PhotoPatches(Dataset):
    """Which of 16 photographs is this square cut from?

    The photographs come with scikit-image and scikit-learn; crops have sides of 56 to 99 pixels. Test crops come
    from the right half of each photograph and training crops from the left, two thirds of it, with the last third
    for validation: no pixel is in two splits.
    """

    title: ClassVar[str] = "Photo patches"
    listing_order: ClassVar[int] = 30
    makes_examples: ClassVar[bool] = True

    labels_per_class: int = Field(
        10, ge=1, le=1000, title="Labels a class", description="How many labelled training crops are cut from each photograph."
    )
    validation_per_class: int = Field(
        10,
        ge=0,
        le=1000,
        title="Validation crops a class",
        description="How many crops of each photograph are for validation.",
        json_schema_extra={"more": True},
    )
    test_per_class: int = Field(
        50,
        ge=1,
        le=1000,
        title="Test crops a class",
        description="How many crops of each photograph are for the test.",
        json_schema_extra={"more": True},
    )

    def read(self, seed: int) -> Data:
        return Data(
            tuple(Path(name).stem for name in PHOTOGRAPHS),
            train=_crops("train", self.labels_per_class, TRAIN_STREAM, seed),
            validation=_crops("validation", self.validation_per_class, VALIDATION_STREAM),
            test=_crops("test", self.test_per_class, TEST_STREAM),
        )

    def location(self) -> str:
        return "the scikit-image and scikit-learn packages"


def regions(height: int, width: int) -> dict[str, Region]:
    """Return which part of a photograph of this size (pixels) belongs to which split. The parts do not overlap.

    The left half is cut across its longer side, so that both of its pieces stay as square as they can.
    """
    half = width // 2
    if half > height:
        cut = half * 2 // 3
        train, validation = Region(0, 0, height, cut), Region(0, cut, height, half)
    else:
        cut = height * 2 // 3
        train, validation = Region(0, 0, cut, half), Region(cut, 0, height, half)
    return {"train": train, "validation": validation, "test": Region(0, half, height, width)}


def crop_boxes(region: Region, count: int, seeds: list[int]) -> NDArray[np.int64]:
    """Return `count` squares inside `region`, drawn by `seeds`: rows of top, left and side (count, 3), in pixels.

    The first rows do not depend on `count`, so that the crops of ten labels are among those of twenty.
    """
    height, width = region.bottom - region.top, region.right - region.left
    largest = min(LARGEST, height, width)
    draw = np.random.default_rng(seeds).random((count, 3))
    side = SMALLEST + np.floor(draw[:, 2] * (largest - SMALLEST + 1)).astype(np.int64)
    top = region.top + np.floor(draw[:, 0] * (height - side + 1)).astype(np.int64)
    left = region.left + np.floor(draw[:, 1] * (width - side + 1)).astype(np.int64)
    return np.stack([top, left, side], axis=1)


def _crops(split: str, count: int, *seeds: int) -> ArrayImages:
    """Return `count` crops of each photograph, class by class; views of the photographs, so that many of them cost little."""
    crops: list[Pixels] = []
    for index, name in enumerate(PHOTOGRAPHS):
        photograph = _photograph(name)
        region = regions(*photograph.shape[:2])[split]
        for top, left, side in crop_boxes(region, count, [*seeds, index]):
            crops.append(photograph[top : top + side, left : left + side])
    return ArrayImages(crops, np.repeat(np.arange(len(PHOTOGRAPHS), dtype=np.int64), count))


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(name: str) -> Pixels:
    """Return the photograph in the file `name`, uint8 (height, width, 3), which cannot be written to: it is shared."""
    module, package, folder = PHOTOGRAPHS[name]
    photograph = np.asarray(read_image(packaged_file(module, package, f"{folder}/{name}")))
    photograph.setflags(write=False)
    return photograph
