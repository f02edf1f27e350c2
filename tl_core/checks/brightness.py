"""Images that are nearly black or nearly constant, as those are whose values fill a part of their range only."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tl_core.data.images import Pixels
from tl_core.notes import Note, NoteKind

DARK, FLAT = 64, 16
"""Images whose brightest values lie below are nearly black: of 14 bits in a file of 16 or fewer, say. Those are nearly constant
whose values lie closer together."""
TAIL = 0.001
"""The share of the values, at either end, that say nothing of the others."""
AT_A_TIME = 64


class Values(NamedTuple):
    """Between what nearly all values of images lie, 0 to 255: at most a thousandth is lower than `low`, or higher than `high`."""

    low: int
    high: int


def values_of(looks: Pixels) -> Values:
    """Return the range of the values of looks (n, height, width, 3), one or more."""
    counts = np.zeros(256, np.int64)
    for begin in range(0, len(looks), AT_A_TIME):
        counts += np.bincount(looks[begin : begin + AT_A_TIME].ravel(), minlength=256)
    low, high = np.searchsorted(counts.cumsum(), np.array([TAIL, 1 - TAIL]) * counts.sum())
    return Values(int(low), int(high))


def remarks(by_split: Mapping[str, Values]) -> list[Note]:
    """Return notes on the splits that are nearly black or nearly constant."""
    dark = {split: values for split, values in by_split.items() if values.high < DARK}
    flat = {split: values for split, values in by_split.items() if split not in dark and values.high - values.low < FLAT}
    notes = []
    if dark:
        highest = max(values.high for values in dark.values())
        notes.append(Note(NoteKind.NEARLY_BLACK, (highest,), tuple(dark)))
    if flat:
        low, high = min(values.low for values in flat.values()), max(values.high for values in flat.values())
        notes.append(Note(NoteKind.NEARLY_CONSTANT, (low, high), tuple(flat)))
    return notes
