"""Images and labels as four arrays."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, printable


class Arrays(NamedTuple):
    """The four arrays: uint8 images (count, height, width) or (count, height, width, 3), and labels (count,)."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]


def example_arrays() -> Arrays:
    """Return 12 training and 3 test images of noise for each of ten classes."""
    labels = np.arange(150, dtype=np.uint8) % 10
    images = np.random.default_rng(0).integers(0, 256, (150, 28, 28), dtype=np.uint8)
    return Arrays(images[:120], labels[:120], images[120:], labels[120:])


def checked(arrays: Arrays, classes: int, source: Path) -> Arrays:
    """Return `arrays`. Raises `DataError` where images and labels do not belong together."""
    for split, images, labels in (("training", *arrays[:2]), ("test", *arrays[2:])):
        reason = ""
        grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[-1] == 3
        if images.dtype != np.uint8 or not (grey or colour) or 0 in images.shape[1:] or labels.ndim != 1:
            reason = "they are not images of bytes with one label each"
        elif len(images) != len(labels):
            reason = f"there are {len(images):,} images and {len(labels):,} labels"
        elif len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            reason = f"labels reach from {labels.min()} to {labels.max()}, and only 0 to {classes - 1} are known"
        if reason:
            raise DataError(
                f"The {split} images are not what they should be ({reason}).",
                "Fetch the files again, or choose another folder.",
                received=printable(str(source)),
            )
    return arrays
