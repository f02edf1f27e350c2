"""What a dataset looks like, without training anything and without Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tl_core import costs, datasets
from tl_core.datasets import Dataset, Images
from tl_core.errors import DataError
from tl_core.features.pixels import fit_square
from tl_core.spec import PartSpec

SAMPLES, SHOWN_CLASSES, SAMPLE_SIZE, STRIP = 8, 20, 64, 6


@dataclass(frozen=True)
class Preview:
    """The splits of a dataset in numbers, a few training images of each class (at `SAMPLE_SIZE` pixels), the
    width and height of those images as they were, and notes."""

    class_names: tuple[str, ...]
    counts: dict[str, list[int]]
    samples: list[list[NDArray[np.uint8]]]
    sizes: list[tuple[int, int]]
    notes: tuple[str, ...]

    @property
    def images(self) -> costs.Images:
        """How many images each split has."""
        return costs.Images(*(sum(self.counts[split]) for split in ("train", "validation", "test")))


def preview(dataset: Dataset, seed: int) -> Preview:
    """The preview of `dataset` as a run from `seed` would see it; kept for a minute. Raises `DataError`."""
    if dataset.fetches:
        raise DataError("This dataset is fetched when the run starts; until then there is nothing to show of it.", "Press Start.")
    return _preview(dataset.spec().model_dump_json(), seed)


@st.cache_data(ttl=60, show_spinner="Reading the dataset", max_entries=16)
def _preview(spec: str, seed: int) -> Preview:
    data = datasets.build(PartSpec.model_validate_json(spec)).load(seed)
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    classes = len(data.class_names)
    counts = {name: np.bincount(images.labels, minlength=classes).tolist() for name, images in splits.items()}
    chosen = [np.flatnonzero(data.train.labels == label)[:SAMPLES] for label in range(min(classes, SHOWN_CLASSES))]
    read = [[_try_to_read(data.train, index) for index in indices] for indices in chosen]
    whole = [[image for image in row if image is not None] for row in read]
    sizes = [(image.shape[1], image.shape[0]) for row in whole for image in row]
    samples = [[fit_square(image, SAMPLE_SIZE) for image in row] for row in whole]
    return Preview(data.class_names, counts, samples, sizes, data.notes)


@st.cache_data(ttl=3600, show_spinner=False)
def strip(name: str) -> NDArray[np.uint8] | None:
    """A few images of a source with its default settings side by side; None where it needs settings first."""
    try:
        found = preview(datasets.datasets.part(name)(), seed=0)
    except DataError:
        return None
    first = [row[0] for row in _spread(found.samples, STRIP) if row]
    return np.concatenate(first, axis=1) if first else None


def _spread(rows: Sequence[list[NDArray[np.uint8]]], count: int) -> list[list[NDArray[np.uint8]]]:
    return [rows[index] for index in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _try_to_read(images: Images, index: int) -> NDArray[np.uint8] | None:
    """A damaged file must not hide the others; the run itself will name it."""
    try:
        return images.read(index)
    except DataError:
        return None
