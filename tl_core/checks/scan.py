"""All examples of a dataset looked at, once each, and what was found put together."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.brightness import Values, values_of
from tl_core.checks.duplicates import Members, groups_of
from tl_core.checks.image_checks import SIDE, Seen, see
from tl_core.checks.near_duplicates import FINE, near_pairs
from tl_core.checks.report import Broken, ImageName, Report
from tl_core.data.label_kinds import CLASSES, NUMBERS
from tl_core.datasets import Data, Images
from tl_core.features.prefetch import in_batches

AT_A_TIME = 64
EXAMPLES, MOST_SIZES = 5, 2_000
FAR = 3.0
LONG = 2.0
"""Sides of this ratio: the middle square, which is what a network sees, is then half of the picture or less."""

OnLook = Callable[[int, int], None]
"""Is told how many examples have been looked at, and how many there are."""


def examine(data: Data[Any], on_look: OnLook, thing: str = "images") -> Report:
    """Look at every example and report what was found; `thing` is what several are called. Of each image a few kilobytes stay in
    memory; texts and rows are only compared. Raises `DataError` for a file that is gone, and whatever `on_look` raises."""
    members, far = Members(data), _far(data)
    has_pictures = isinstance(data.train, Images)
    tally = _Tally(len(members) if has_pictures else 0)
    for place, seen in enumerate(_seen(data, on_look) if has_pictures else ()):
        tally.add(members[place], seen)
    if not has_pictures:
        on_look(len(members), len(members))
    return Report(
        digest=data.digest(),
        class_names=data.class_names,
        counts=_counts(data),
        formats=dict(tally.formats.most_common()),
        repaired=dict(tally.repaired.most_common()),
        examples={repair: tuple(names) for repair, names in tally.examples.items()},
        sizes=tuple(tally.thinned_sizes()),
        smallest=min((min(size) for size in tally.sizes), default=0),
        elongated=sum(max(size) > LONG * min(size) for size in tally.sizes),
        channel_means=_three(tally.colours.mean(axis=0) if len(tally.colours) else np.zeros(3)),
        channel_deviations=_three(tally.spread()),
        values=_values(data, tally),
        broken=tuple(tally.broken),
        groups=tuple(groups_of(members, _near(members, tally))),
        thing=thing,
        coarse=sum(min(size) < FINE for size in tally.sizes),
        of_numbers=members.of_numbers,
        far=len(far),
        far_examples=tuple(members[place] for place in far[:EXAMPLES].tolist()),
        having=_having(data),
    )


def _far(data: Data[Any]) -> NDArray[np.intp]:
    """Return the places of numbers that are far from the others: three times the distance of the quartiles, or more, beyond these
    (Tukey 1977, Exploratory data analysis). There are none of classes."""
    if data.label_kind != NUMBERS:
        return np.empty(0, np.intp)
    splits = data.splits.values()
    numbers = np.concatenate([each.labels if each.is_labelled else np.full(len(each), np.nan) for each in splits])
    low, high = np.nanquantile(numbers, [0.25, 0.75])
    return np.flatnonzero((numbers < low - FAR * (high - low)) | (numbers > high + FAR * (high - low)))


def _near(members: Members, tally: "_Tally") -> NDArray[np.intp]:
    """Return pairs (m, 2) of places of images that are nearly the same, of each content its first place alone."""
    if not len(tally.looks):
        return np.empty((0, 2), np.intp)
    first = members.firsts()
    known = first[tally.fine[first]]
    return known[near_pairs(tally.looks[known], members.codes[known] * (not members.of_numbers))]


def _values(data: Data[Any], tally: "_Tally") -> dict[str, Values]:
    """Return the range of the values of the images that can be read, of each split that has any."""
    ends = np.cumsum([len(examples) for examples in data.splits.values()])[:-1]
    looks, readable = np.split(tally.looks, ends), np.split(tally.readable, ends)
    found = {split: part[kept] for split, part, kept in zip(data.splits, looks, readable, strict=True)}
    return {split: values_of(part) for split, part in found.items() if len(part)}


def _having(data: Data[Any]) -> dict[str, tuple[int, ...]]:
    """Return how many examples of train and test have each label, where they may have several."""
    splits = {} if data.label_kind.single else {"train": data.train, "test": data.test}
    return {split: tuple(examples.labels.sum(axis=0).tolist()) for split, examples in splits.items()}


def _counts(data: Data[Any]) -> dict[str, tuple[int, ...]]:
    classes, counted = len(data.class_names), data.label_kind == CLASSES
    return {
        split: tuple(np.bincount(images.labels, minlength=classes).tolist()) if images.is_labelled and counted else (len(images),)
        for split, images in data.splits.items()
    }


def _seen(data: Data, on_look: OnLook) -> Iterator[Seen]:
    """Yield what was seen of each image, in order; a few are looked at at a time."""
    places = list(chain.from_iterable(((images, index) for index in range(len(images))) for images in data.splits.values()))
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="look") as pool:
        for batch in in_batches(np.arange(len(places)), AT_A_TIME):
            yield from pool.map(lambda place: see(*places[place]), batch)
            done += len(batch)
            on_look(done, len(places))


class _Tally:
    """What is kept of what was seen."""

    def __init__(self, count: int) -> None:
        self.looks = np.zeros((count, SIDE, SIDE, 3), np.uint8)
        self.fine = np.zeros(count, bool)
        self.sizes: list[tuple[int, int]] = []
        self.formats: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.broken: list[Broken] = []
        self._count, self.readable = 0, np.zeros(count, bool)

    def add(self, member: ImageName, seen: Seen) -> None:
        """Add what was seen of the next image."""
        place, self._count = self._count, self._count + 1
        if seen.look is None:
            self.broken.append(Broken(member, seen.broken))
            return
        self.looks[place], self.readable[place] = seen.look, True
        self.fine[place] = min(seen.width, seen.height) >= FINE
        self.sizes.append((seen.width, seen.height))
        self.formats.update([seen.format] if seen.format else [])
        for repair in seen.repaired:
            self.repaired[repair] += 1
            if len(names := self.examples.setdefault(repair, [])) < EXAMPLES:
                names.append(member.name)

    @property
    def colours(self) -> NDArray[np.float64]:
        """Return the mean colour of each readable image (n, 3), 0..255."""
        return self.looks[self.readable].mean(axis=(1, 2), dtype=np.float64)

    def spread(self) -> NDArray[np.float64]:
        """Return the standard deviation of each channel over all their pixels (3,)."""
        pixels = self.looks[self.readable]
        if not len(pixels):
            return np.zeros(3)
        squares = np.zeros(3)
        for part in np.array_split(pixels, -(-len(pixels) // AT_A_TIME)):
            squares += (part.astype(np.float64) ** 2).sum(axis=(0, 1, 2))
        mean = pixels.mean(axis=(0, 1, 2), dtype=np.float64)
        return np.sqrt(np.maximum(0.0, squares / (len(pixels) * SIDE * SIDE) - mean**2))

    def thinned_sizes(self) -> list[tuple[int, int]]:
        """Return at most `MOST_SIZES` of the sizes (width, height), drawn evenly."""
        places = np.linspace(0, len(self.sizes) - 1, min(MOST_SIZES, len(self.sizes))).astype(int)
        return [self.sizes[place] for place in places]


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 2) for value in values)
    return red, green, blue
