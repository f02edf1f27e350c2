"""A text cut into parts of neighbouring words, and the same text without each of them in turn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tl_core.data.preprocessor import Preprocessor
from tl_core.data.texts import Texts

WORD = re.compile(r"\S+\s*")
"""What is left out as one word: all up to the next white space, and that too, so that no gap stays."""
Span = tuple[int, int]
"""Where a part begins in its text, and where the next one does."""


def words_in(text: str) -> list[Span]:
    """Return the words of `text`, in their order."""
    return [match.span() for match in WORD.finditer(text)]


def together(words: int, most: int) -> int:
    """Return how many of so many neighbouring words make a part where there are to be `most` parts at most."""
    return max(1, -(-words // most))


def grouped(words: Sequence[Span], size: int) -> list[Span]:
    """Return parts of `size` neighbouring words each; the last may have fewer."""
    return [(words[begin][0], words[min(begin + size, len(words)) - 1][1]) for begin in range(0, len(words), size)]


@dataclass(frozen=True, eq=False)
class WithoutEach(Texts):
    """The one text of `texts`, number 0, and the same without part number 1, 2 and so on. They are made when they are read, since
    a text may be large."""

    parts: tuple[Span, ...] = ()

    @classmethod
    def of(cls, text: str, parts: Sequence[Span]) -> Self:
        """Return `text` with and without each of its `parts`."""
        return cls((text,), np.zeros(1 + len(parts), np.int64), tuple(parts))

    def read(self, index: int) -> str:
        (text,) = self.texts
        if index == 0:
            return text
        begin, end = self.parts[index - 1]
        # White space at the end would be a token of its own to some networks.
        return text[:begin] + text[end:] if end < len(text) else text[:begin].rstrip()


def words_read(preprocessor: Preprocessor, text: str, words: Sequence[Span]) -> int:
    """Return how many of the `words` of `text` stand in what the network gets: with these alone its input is the same.

    A network with a length reads the beginning. One that knows certain words only has nothing to read after the last of them.
    """
    whole = _encoded(preprocessor, text)
    low, high = 0, len(words)
    while low < high:
        middle = (low + high) // 2
        shorter = _encoded(preprocessor, text[: words[middle - 1][1]] if middle else "")
        low, high = (low, middle) if np.array_equal(shorter, whole) else (middle + 1, high)
    return low


def _encoded(preprocessor: Preprocessor, text: str) -> NDArray[Any]:
    return preprocessor.encode(WithoutEach.of(text, ()), np.array([0]))[0]
