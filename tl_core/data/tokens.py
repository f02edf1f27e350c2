"""Texts as networks take them: indices of tokens, or how often each word is there."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.preprocessor import Preprocessor
from tl_core.data.texts import Texts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = 0, 1
"""The indices after the end of a text and of a word that nobody knows."""
MOST_COUNTED = 255
VOCABULARY, TOKENIZER = "vocabulary.json", "tokenizer.json"
"""Files that go with a network which leaves: its words in their order, or its tokenizer."""
WORD = re.compile(r"(?u)\b\w\w+\b")
"""What scikit-learn takes for a word: two letters or digits and more."""

SCRIPT_OF_WORDS = f"""\
import re

vocabulary = json.loads((HERE / "{VOCABULARY}").read_text(encoding="utf-8"))
index = {{word: place for place, word in enumerate(vocabulary)}}
found = re.findall(r"{WORD.pattern}", sys.argv[1].lower())"""
"""Lines of a script that take a text and give its words in `found`, and the place of each word that is known in `index`."""

Tokens = NDArray[np.int32]


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, in their order."""
    return WORD.findall(text.lower())


def document_frequencies(texts: Texts, most: int) -> dict[str, int]:
    """Return in how many of the `texts` each word is, for the `most` words that are in the most of them: these first, equal ones
    by the alphabet."""
    counts = Counter[str]()
    for index in range(len(texts)):
        counts.update(set(words_of(texts.read(index))))
    return dict(sorted(counts.items(), key=lambda word: (-word[1], word[0]))[:most])


class OfWords(Preprocessor):
    """What knows the words of a `vocabulary`, whose indices begin with `first`."""

    def __init__(self, vocabulary: Sequence[str], size: int, first: int) -> None:
        self.shape = (size,)
        self._index = {word: index for index, word in enumerate(vocabulary, first)}

    def files(self) -> Mapping[str, bytes]:
        return {VOCABULARY: json.dumps(list(self._index)).encode()}


class WordIndices(OfWords):
    """The first words of a text by their indices in `vocabulary`, from 2 on: int32 (length,)."""

    dtype: np.dtype[Any] = np.dtype(np.int32)

    def __init__(self, vocabulary: Sequence[str], length: int) -> None:
        super().__init__(vocabulary, length, UNKNOWN + 1)

    @property
    def script(self) -> str:
        return f"""\
{SCRIPT_OF_WORDS}
tokens = [index[word] + {UNKNOWN + 1} if word in index else {UNKNOWN} for word in found[:{self.shape[0]}]]
inputs = np.array([tokens + [{PADDING}] * ({self.shape[0]} - len(tokens))], np.int32)"""

    @property
    def key(self) -> tuple[object, ...]:
        return "indices of words", *self.shape, digest_of(self._index)

    def encode(self, examples: Texts, indices: NDArray[np.intp]) -> Tokens:
        found = np.full((len(indices), *self.shape), PADDING, np.int32)
        for row, index in zip(found, indices, strict=True):
            words = words_of(examples.read(int(index)))[: len(row)]
            row[: len(words)] = [self._index.get(word, UNKNOWN) for word in words]
        return found

    def truncated(self, examples: Texts) -> int:
        return sum(len(words_of(examples.read(index))) > self.shape[0] for index in range(len(examples)))


class WordCounts(OfWords):
    """How often each word of `vocabulary` is in a text, `MOST_COUNTED` at most: uint8 (size,), of which all behind the vocabulary
    are 0."""

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, vocabulary: Sequence[str], size: int) -> None:
        super().__init__(vocabulary, size, 0)

    @property
    def script(self) -> str:
        return f"""\
{SCRIPT_OF_WORDS}
inputs = np.zeros((1, {self.shape[0]}), np.float32)
for word in filter(index.__contains__, found):
    inputs[0, index[word]] = min(inputs[0, index[word]] + 1, {MOST_COUNTED})"""

    @property
    def key(self) -> tuple[object, ...]:
        return "counts of words", *self.shape, digest_of(self._index)

    def encode(self, examples: Texts, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        found = np.zeros((len(indices), *self.shape), np.uint8)
        for row, index in zip(found, indices, strict=True):
            counts = Counter(self._index[word] for word in words_of(examples.read(int(index))) if word in self._index)
            row[list(counts)] = np.minimum(list(counts.values()), MOST_COUNTED)
        return found


class WordPieces(Preprocessor):
    """A text by the indices of its pieces in a tokenizer's vocabulary: int32 (length,), with 0 after the end.

    The tokenizer is a file of Hugging Face's library `tokenizers`, which also says what stands before and after a text.
    """

    dtype: np.dtype[Any] = np.dtype(np.int32)
    packages: tuple[str, ...] = ("tokenizers",)

    def __init__(self, file: Path, length: int) -> None:
        self.shape = (length,)
        self._file = file

    @cached_property
    def _content(self) -> bytes:
        """Return the tokenizer's file, read when it is needed: pages ask for the shape alone."""
        return self._file.read_bytes()

    @property
    def script(self) -> str:
        return f"""\
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(str(HERE / "{TOKENIZER}"))
tokenizer.enable_truncation({self.shape[0]})
tokenizer.enable_padding(length={self.shape[0]}, pad_id={PADDING})
inputs = np.array([tokenizer.encode(sys.argv[1]).ids], np.int32)"""

    def files(self) -> Mapping[str, bytes]:
        return {TOKENIZER: self._content}

    @cached_property
    def key(self) -> tuple[object, ...]:
        return "pieces of words", *self.shape, hashlib.sha256(self._content).hexdigest()

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        made = Tokenizer.from_buffer(self._content)
        made.enable_truncation(self.shape[0])
        made.enable_padding(length=self.shape[0], pad_id=PADDING)
        return made

    def encode(self, examples: Texts, indices: NDArray[np.intp]) -> Tokens:
        found = self._encoded(examples, indices)
        return np.array([each.ids for each in found], np.int32).reshape(len(indices), *self.shape)

    def truncated(self, examples: Texts) -> int:
        return sum(bool(each.overflowing) for each in self._encoded(examples, np.arange(len(examples))))

    def _encoded(self, examples: Texts, indices: NDArray[np.intp]) -> list[Any]:
        return self._tokenizer.encode_batch_fast([examples.read(int(index)) for index in indices])


def digest_of(vocabulary: Iterable[str]) -> str:
    """Return the sha256 of the words, in their order."""
    return hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()
