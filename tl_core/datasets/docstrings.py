"""What functions of SciPy do, in the words of their documentation: the class is the part of SciPy."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from tl_core.data.examples import Modality
from tl_core.data.texts import Texts
from tl_core.data.tokens import words_of
from tl_core.datasets import register
from tl_core.datasets._user_data import Given, UserDataset
from tl_core.errors import DataError

PACKAGE = "scipy"
CLASSES = ("integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "spatial", "special", "stats")
LEFT_OUT = {"tests", "_lib", "externals", "benchmarks"}
NAMES = re.compile(rf"\b(?:{PACKAGE}|{'|'.join(CLASSES)})\b", re.IGNORECASE)
"""What would tell the class without a look at the rest."""
SECTION = re.compile(r"^\s*[-=]{3,}\s*$", re.MULTILINE)
SHORTEST, LONGEST = 4, 120
"""Words of a text."""
ALIKE, COMMON = 0.6, 0.05
"""Texts that share this part of their words are nearly copies of each other; a word in this part of all texts is no rare one."""
DOCUMENTED = re.compile(r'^ {0,4}(?:def|class) [A-Za-z]\w*[^"]*?:\n\s+[rR]?"""(.*?)"""', re.MULTILINE | re.DOTALL)
"""A public function, method or class with its docstring."""


@register("docstrings")
class Docstrings(UserDataset):
    """Which part of SciPy does a function belong to, by what its documentation says first?

    About two thousand texts in ten classes, from statistics to image processing, read from the installed library. The names of
    the parts are struck out. Texts that are nearly the same stay on one side of the split.
    """

    title: ClassVar[str] = "Docstrings"
    listing_order: ClassVar[int] = 45
    modality: ClassVar[Modality] = Modality.TEXTS
    thing: ClassVar[str] = "texts"

    labels_per_class: int | None = Field(
        20,
        ge=1,
        le=1_000_000,
        title="Labels a class",
        description="How many labelled training texts of each class may be used; empty uses all of them.",
        json_schema_extra={"empty": "all"},
    )

    def given(self) -> Given:
        texts, labels, groups = _read()
        return Given(CLASSES, {"train": Texts(texts, np.array(labels)).grouped(groups)})

    def location(self) -> str:
        return "the SciPy package"


@cache
def _read() -> tuple[tuple[str, ...], tuple[int, ...], list[bytes]]:
    """Return the texts, the class of each, and for each the name of what it is nearly a copy of."""
    labelled: dict[str, set[int]] = {}
    for label, name in enumerate(CLASSES):
        for text in _texts_of(name):
            labelled.setdefault(text, set()).add(label)
    known = {text: labels.pop() for text, labels in sorted(labelled.items()) if len(labels) == 1}
    if not known:
        raise DataError(
            "The installed SciPy has no documentation in its files.", "Install it anew: pip install -r requirements.txt"
        )
    return tuple(known), tuple(known.values()), _groups(tuple(known))


def _texts_of(name: str) -> Iterator[str]:
    """Yield what is said first of each public function and class in one part of the library. Its files are searched, not parsed,
    which would take seconds."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    for file in sorted(file for folder in folders for file in Path(folder, name).rglob("*.py") if not LEFT_OUT & {*file.parts}):
        for found in DOCUMENTED.finditer(file.read_text(encoding="utf-8")):
            text = _beginning(cleandoc(found[1]))
            if SHORTEST <= len(text.split()) <= LONGEST:
                yield text


def _beginning(docstring: str) -> str:
    """Return the paragraphs before the first section, on one line, without the names of the parts."""
    before = SECTION.split(docstring, maxsplit=1)
    paragraphs = before[0].strip().split("\n\n")
    told = paragraphs[:-1] if len(before) > 1 and len(paragraphs) > 1 else paragraphs  # the last one is the section's title
    return " ".join(NAMES.sub("", " ".join(told)).split())


def _groups(texts: tuple[str, ...]) -> list[bytes]:
    """Return for each text a name that it shares with those that are nearly copies of it, directly or through others."""
    from scipy.sparse import csr_matrix  # half a second to import
    from scipy.sparse.csgraph import connected_components

    found = [set(words_of(text)) for text in texts]
    index = {word: place for place, word in enumerate(sorted(set().union(*found)))}
    places = [index[word] for words in found for word in sorted(words)]
    sizes = np.array([len(words) for words in found])
    matrix = csr_matrix((np.ones(len(places), np.int32), places, np.append(0, sizes.cumsum())), (len(texts), len(index)))
    rare = matrix[:, np.asarray(matrix.sum(axis=0)).ravel() < COMMON * len(texts)]
    near = (rare @ rare.T).tocoo()  # who shares no rare word is no copy; all words would make it many times as large
    shared = matrix[near.row].multiply(matrix[near.col]).sum(axis=1).A1
    alike = shared >= ALIKE * (sizes[near.row] + sizes[near.col] - shared)
    number, group = connected_components(csr_matrix((alike[alike], (near.row[alike], near.col[alike])), (len(texts),) * 2))
    first = {name: text.encode() for name, text in zip(group[::-1].tolist(), reversed(texts), strict=True)}
    assert len(first) == number
    return [first[name] for name in group.tolist()]
