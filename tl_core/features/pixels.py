"""Images cropped to a square and resized to a run's size, decoded in parallel and kept while they fit."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.datasets import Images
from tl_core.datasets.images import Labels, Pixels

KEPT_BYTES = 1 << 30
"""A split whose resized pixels take no more than this stays in memory after its first reading."""

T = TypeVar("T")


def fit_square(image: Pixels, size: int) -> Pixels:
    """The middle square of `image` (height, width, 3), resized to (size, size, 3) with bicubic interpolation."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    if side == size:
        return square
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


class SizedImages:
    """A split at one size. `batch` gives uint8 pixels (n, size, size, 3)."""

    def __init__(self, images: Images, size: int) -> None:
        self.size = size
        self.labels: Labels = images.labels
        self._images = images
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")
        fits = len(images) * size * size * 3 <= KEPT_BYTES
        self._kept = np.empty((len(images), size, size, 3), np.uint8) if fits else None
        self._known = np.zeros(len(images), bool)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: NDArray[np.intp]) -> Pixels:
        """The images at `indices`. Raises `DataError` for an image that cannot be decoded."""
        if self._kept is None:
            return np.stack(list(self._pool.map(self._read, indices)))
        missing = np.unique(indices[~self._known[indices]])
        for index, image in zip(missing, self._pool.map(self._read, missing), strict=True):
            self._kept[index] = image
        self._known[missing] = True
        return self._kept[indices]

    def _read(self, index: int) -> Pixels:
        return fit_square(self._images.read(index), self.size)


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, the next one being made while the present one is used."""
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        nothing = object()
        pending = pool.submit(next, source, nothing)
        while (item := pending.result()) is not nothing:
            pending = pool.submit(next, source, nothing)
            yield item  # type: ignore[misc]  # mypy cannot tell the sentinel from T
