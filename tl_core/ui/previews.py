"""What a dataset looks like, without training anything and without Keras."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from tl_core import datasets
from tl_core.checks.first_look import with_notes
from tl_core.data import hashing
from tl_core.data.decoding import decoded, open_image
from tl_core.data.label_kinds import CLASSES, NUMBERS, LabelKind
from tl_core.data.resizing import center_crop_resize
from tl_core.datasets import Data, Dataset, Images, Modality
from tl_core.errors import DataError
from tl_core.notes import Note
from tl_core.planning.cuts import SplitSizes
from tl_core.spec import PartSpec
from tl_core.ui import faults, formatting
from tl_core.ui.charts import data, numbers

SAMPLES, EXCERPTS, SHOWN_CLASSES, SAMPLE_SIZE, STRIP = 8, 2, 20, 64, 6
QUIET_SECONDS, BETWEEN_SECONDS = 1.0, 0.3
"""How long files are read before progress is shown, and what lies between two looks at it."""


@dataclass(frozen=True)
class Preview:
    """The splits of a dataset in numbers, a few training examples of each class, and notes. Of images they are `samples` (at
    `SAMPLE_SIZE` pixels) with the `sizes` that they had (width, height), of anything else `excerpts` with their class."""

    class_names: tuple[str, ...]
    groups: tuple[str, ...]
    """What is counted and sampled: the classes or labels, or of numbers the bins that splits keep the shares of."""
    counts: dict[str, list[int]]
    sizes_of: dict[str, int]
    """How many examples each split has."""
    samples: list[list[NDArray[np.uint8]]]
    sizes: list[tuple[int, int]]
    excerpts: list[tuple[str, str]]
    notes: tuple[Note, ...]
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """The labels of each split, where they are numbers."""
    together: tuple[int, ...] = ()
    """How many training examples have no label, one, two and so on, where they may have several."""
    kind: LabelKind = CLASSES

    @property
    def images(self) -> SplitSizes:
        """Return how many images each split has."""
        return SplitSizes(*(self.sizes_of[split] for split in ("train", "validation", "test")))


def preview(dataset: Dataset, seed: int) -> Preview:
    """Return the preview of `dataset` as a run from `seed` would see it; kept for a minute. Raises `DataError`, also in place of
    what only a bug can raise."""
    with faults.contained("the reading of this dataset"):
        if dataset.fetches:
            raise DataError(
                "This dataset is fetched when the run starts; until then there is nothing to show of it.", "Press Start."
            )
        return _preview(dataset.spec().content.model_dump_json(), seed, dataset.label_kind)


@st.cache_data(ttl=60, show_spinner="Reading the dataset", max_entries=16, hash_funcs={LabelKind: repr})
def _preview(spec: str, seed: int, kind: LabelKind) -> Preview:
    dataset = datasets.build(PartSpec.model_validate_json(spec)).labelled(kind)
    loaded = _loaded(dataset, seed)
    whole, names = loaded.train.labels, loaded.class_names
    labelled = {split: examples.labels for split, examples in loaded.splits.items() if examples.is_labelled}
    strata = {split: kind.strata(names, labels, whole) for split, labels in labelled.items()}
    groups, codes = strata["train"]
    counts = {split: _counts(of_split, len(groups)) for split, (_, of_split) in strata.items()}
    chosen = [np.flatnonzero(_is_of(codes, group))[:SAMPLES] for group in range(min(len(groups), SHOWN_CLASSES))]
    more: dict[str, Any] = {"numbers": labelled if kind == NUMBERS else {}, "kind": kind}
    if whole.ndim > 1:
        more["together"] = tuple(np.bincount(whole.sum(axis=1)).tolist())
    sizes_of = {split: len(labels) for split, labels in labelled.items()}
    if dataset.modality is not Modality.IMAGES:
        excerpts = [
            (name, loaded.train.excerpt(index)) for name, row in zip(groups, chosen, strict=False) for index in row[:EXCERPTS]
        ]
        return Preview(names, groups, counts, sizes_of, [], [], excerpts, loaded.notes, **more)
    looks = [[look for index in indices if (look := _look(loaded.train, index))] for indices in chosen]
    sizes, samples = [size for row in looks for size, _ in row], [[sample for _, sample in row] for row in looks]
    return Preview(names, groups, counts, sizes_of, samples, sizes, [], loaded.notes, **more)


def _counts(codes: NDArray[Any], groups: int) -> list[int]:
    """Return how many examples are of each group, by the group of each, or by which groups each is of."""
    counts: list[int] = (np.bincount(codes, minlength=groups) if codes.ndim == 1 else codes.sum(axis=0)).tolist()
    return counts


def _is_of(codes: NDArray[Any], group: int) -> NDArray[np.bool_]:
    return codes == group if codes.ndim == 1 else codes[:, group]


def _loaded(dataset: Dataset, seed: int) -> Data[Any]:
    """Return the data. Where nobody has split them, every file is read for that, and the page shows how far that has come."""
    place = st.empty()
    try:
        with hashing.reporting(progress(place, time.monotonic())):
            return with_notes(dataset.load(seed))
    finally:
        place.empty()


def progress(place: DeltaGenerator, began: float) -> hashing.Report:
    """Return a function that shows in `place` how many files have been read since `began` (of `time.monotonic`), and about how
    long the others take."""
    shown_at = began

    def report(done: int, total: int) -> None:
        nonlocal shown_at
        now = time.monotonic()
        if now - began < QUIET_SECONDS or now - shown_at < BETWEEN_SECONDS:
            return
        shown_at, left = now, formatting.clock((now - began) * (total - done) / done)
        place.progress(done / total, f"Every file is read once, to split by content: {done:,} of {total:,}, about {left} left")

    return report


def samples(found: Preview) -> None:
    """Draw a few training examples of each class."""
    if found.excerpts:
        classes, excerpts = zip(*found.excerpts, strict=True)
        table = pd.DataFrame({found.kind.stratum.capitalize(): classes, "Example": excerpts})
        st.dataframe(table, hide_index=True, width="stretch", alt=f"Training examples of each {found.kind.stratum}")
    else:
        of = f"each {found.kind.stratum}{f' of {found.class_names[0]}' if found.numbers else ''}"
        drawn = data.sample_grid(found.samples, found.groups, SAMPLE_SIZE, of=of, many=found.kind.strata_named)
        formatting.chart(drawn, "samples", f"Training images of {of}")


def balance(found: Preview, thing: str) -> None:
    """Draw how many examples (called a `thing`) each class has in each split, or how their numbers are spread."""
    if found.numbers:
        drawn = numbers.spread(found.numbers, found.class_names[0], thing)
        formatting.chart(drawn, "balance", "Spread of the numbers in each split")
        return
    one, many = found.kind.stratum, found.kind.strata_named
    by_split = {split: dict(zip(found.class_names, counts, strict=True)) for split, counts in found.counts.items()}
    drawn = data.class_balance(by_split, thing, one=one, many=many)
    formatting.chart(drawn, "balance", f"Examples of each {one} in each split")
    if found.together:
        counted = ", ".join(f"{count:,} with {labels or 'none'}" for labels, count in enumerate(found.together) if count)
        st.caption(f"Training {thing} by how many labels they have: {counted}.")


def asked(found: Preview) -> str:
    """Return what is asked of the examples, in a few words: "16 classes", "the number age"."""
    return f"the number {found.class_names[0]}" if found.numbers else f"{len(found.class_names)} {found.kind.strata_named}"


@st.cache_data(ttl=3600, show_spinner=False)
def strip(name: str) -> NDArray[np.uint8] | None:
    """Return a few images of a source with its default settings side by side (h, w, 3); None where it needs settings first."""
    try:
        found = preview(datasets.datasets.part(name)(), seed=0)
    except DataError:
        return None
    first = [row[0] for row in _spread(found.samples, STRIP) if row]
    return np.concatenate(first, axis=1) if first else None


def _spread(rows: Sequence[list[NDArray[np.uint8]]], count: int) -> list[list[NDArray[np.uint8]]]:
    return [rows[index] for index in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _look(images: Images, index: int) -> tuple[tuple[int, int], NDArray[np.uint8]] | None:
    """Return width and height of an image, and a small square of it. Large images are decoded one at a time, at a fraction of
    their size where their format allows that. None for a damaged file, which must not hide the others; the run itself will name
    it."""
    try:
        source = images.source(index)
        if source is None:
            picture = images.picture(index)
            return picture.size, center_crop_resize(picture, SAMPLE_SIZE)
        with open_image(source) as image:
            width, height = image.size
            picture = decoded(image, SAMPLE_SIZE)
        is_turned = (width > height) != (picture.width > picture.height)  # by its EXIF
        return (height, width) if is_turned else (width, height), center_crop_resize(picture, SAMPLE_SIZE)
    except DataError:
        return None
