"""A map of images: near each other lies what a network sees alike."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.data.examples import PlainLabel, plain_label
from tl_core.data.images import Pixels
from tl_core.data.label_kinds import NUMBERS
from tl_core.data.resizing import center_crop_resize
from tl_core.datasets import Data

MOST = {"train": 600, "validation": 200, "test": 400}
"""Images of each split on a map. More would hide each other, and t-SNE takes some ten seconds for these."""
THUMBNAIL, COLUMNS = 40, 32
"""Pixels of a picture's side on the sheet of all pictures, and pictures in a row of it."""
COMPONENTS, PERPLEXITY = 50, 30
METHOD = "t-SNE of the first 50 principal components"


@dataclass(frozen=True)
class ImageMap:
    """Where each example lies (`x`, `y`, without unit), its class, its labels, or its number where they are `of_numbers`, its
    split, and its name or how it begins; the sheet of pictures has them in this order."""

    class_names: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[PlainLabel, ...]
    splits: tuple[str, ...]
    names: tuple[str, ...]
    of_numbers: bool = False

    def has(self, label: int) -> list[bool]:
        """Return which examples have a label, of several."""
        return [isinstance(each, tuple) and label in each for each in self.labels]

    @property
    def of_several(self) -> bool:
        """Return whether an example may have several labels."""
        return any(isinstance(each, tuple) for each in self.labels)


def sampled(data: Data) -> Data:
    """Return the three splits that all data have with at most `MOST` images each, drawn evenly."""
    train, validation, test = (data.splits[split].subsample(most) for split, most in MOST.items())
    return replace(data, train=train, validation=validation, test=test, others={})


def project(features: ArrayLike) -> NDArray[np.float64]:
    """Return features (n, d) as places (n, 2): principal components (at most `COMPONENTS`), then t-SNE (van der Maaten and Hinton
    2008, Visualizing data using t-SNE), from a fixed seed. Fewer than five images are placed by two components alone."""
    from sklearn.decomposition import PCA  # a second to import
    from sklearn.manifold import TSNE

    values = np.asarray(features, np.float64)
    few = min(COMPONENTS, *values.shape)
    reduced = PCA(few, random_state=0).fit_transform(values)
    if len(reduced) < 5:
        return np.pad(reduced, ((0, 0), (0, max(0, 2 - few))))[:, :2]
    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    start = "pca" if few > 1 else "random"
    return np.asarray(TSNE(2, perplexity=perplexity, init=start, random_state=0).fit_transform(reduced), np.float64)


def map_of(data: Data, places: NDArray[np.float64]) -> ImageMap:
    """Return the map of all images of `data`, split after split, at `places` (n, 2)."""
    return ImageMap(
        class_names=data.class_names,
        x=tuple(np.round(places[:, 0], 3).tolist()),
        y=tuple(np.round(places[:, 1], 3).tolist()),
        labels=tuple(plain_label(label) for images in data.splits.values() for label in images.labels),
        splits=tuple(split for split, images in data.splits.items() for _ in range(len(images))),
        names=tuple(each.excerpt(index) or each.name(index) for each in data.splits.values() for index in range(len(each))),
        of_numbers=data.label_kind == NUMBERS,
    )


def sheet(data: Data) -> Pixels:
    """Return all pictures on one sheet, `COLUMNS` a row, split after split: uint8 (rows * THUMBNAIL, COLUMNS * THUMBNAIL, 3)."""
    count = sum(len(images) for images in data.splits.values())
    drawn = np.zeros((-(-count // COLUMNS) * THUMBNAIL, COLUMNS * THUMBNAIL, 3), np.uint8)
    read = (images.picture(index, THUMBNAIL * 2) for images in data.splits.values() for index in range(len(images)))
    for place, picture in enumerate(read):
        row, column = divmod(place, COLUMNS)
        top, left = row * THUMBNAIL, column * THUMBNAIL
        drawn[top : top + THUMBNAIL, left : left + THUMBNAIL] = center_crop_resize(picture, THUMBNAIL)
    return drawn
