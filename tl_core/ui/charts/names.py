"""What the names of points say, and where they stand, so that no two of them lie over each other."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

LETTER = 6.2
"""Pixels of a letter."""
MARKER = 8
"""Pixels from the middle of a marker to its end."""
NARROW = 270
"""Pixels of the plot of a chart on a telephone. Names that have room there have it on a larger screen, too."""
BETWEEN = re.compile("(?<=[,\N{MIDDLE DOT}] )")
"""Where a word of a name ends."""
SIDES = ("bottom right", "top left", "top right", "bottom left")


class Place(NamedTuple):
    """Where a point lies within a plot, in pixels from its upper left corner, and how many letters its name has."""

    x: float
    y: float
    letters: int


def without_common(labels: Sequence[str]) -> list[str]:
    """Return names without the words that all of them begin with, so that what differs has room on a telephone."""
    words = [BETWEEN.split(label) for label in labels]
    common = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1 < len(each), zip(*words, strict=False)))
    return ["".join(own[common:]) or label for label, own in zip(labels, words, strict=True)]


def along(values: Sequence[float], span: tuple[float, float], pixels: float) -> list[float]:
    """Return where `values` lie along an axis of so many pixels that shows what is between the ends of `span`."""
    first, last = span
    return [pixels * (value - first) / ((last - first) or 1) for value in values]


def sides(places: Sequence[Place], width: float) -> list[str | None]:
    """Return on which side of its marker each name stands, as Plotly's `textposition`, in a plot `width` pixels wide; None where
    a name has no room. The first points have the first choice."""
    taken = [(place.x - MARKER, place.y - MARKER, place.x + MARKER, place.y + MARKER) for place in places]
    found = list[str | None]()
    for x, y, letters in places:
        length = LETTER * letters + 2 * MARKER
        free = None
        for side in SIDES:
            x0, y0 = (x + 9 if "right" in side else x - 9 - length), (y + 2 if "bottom" in side else y - 22)
            box = (x0, y0, x0 + length, y0 + 20)
            if x0 >= 0 and x0 + length <= width and not any(_overlap(box, other) for other in taken):
                free = side
                taken.append(box)
                break
        found.append(free)
    return found


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
