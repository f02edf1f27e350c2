"""Names of classes: how labels become names, and what is to be said of them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from tl_core.errors import DataError, printable
from tl_core.notes import MOST_NAMED, Note, NoteKind

LONGEST_NAME = 200
BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")
"""What may stand between two words. At the ends of a name it says something: -1 is not 1, and A- is not A."""


def label_text(value: Any) -> str:
    """Return a label without white space around it, letters in one form (NFC). Raises `DataError` for bytes that are no UTF-8."""
    try:
        text = value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        raise DataError(
            "A label is bytes that are no text in UTF-8.", "Save labels as text.", received=repr(value)[:200]
        ) from None
    return unicodedata.normalize("NFC", text).strip()


def printable_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the `names` (n,) as a page can show them, no two the same: a number tells apart what is spelled alike.

    Raises `DataError` for a name that is blank, or too long to be one.
    """
    taken = dict[str, None]()
    for number, name in enumerate(names):
        if not name:
            raise DataError("The name of a class is blank.", "Give every example a label, and every class a name.")
        if len(name) > LONGEST_NAME:
            raise DataError(
                f"A label has {len(name):,} characters, and at most {LONGEST_NAME} are the name of a class.",
                "Name the column that holds the labels.",
                received=f"{printable(name[:40])}...",
            )
        spelled = printable(name)
        while spelled in taken:
            spelled = f"{spelled} ({number})"
        taken[spelled] = None
    return tuple(taken)


def spelling_key(name: str) -> str:
    """Return what names have in common that differ only in case, in what separates their words or in how Unicode writes them."""
    return BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFC", name).strip()).casefold()


def matched(names: Sequence[str], known: Sequence[str]) -> list[int | None]:
    """Return for each of the `names` (n,) the index of the class among `known` that it means, None where it means none.

    That is the class of that very name, or else the only one whose name has the same `spelling_key`, unless two of `names` could
    mean it.
    """
    exact = {name: index for index, name in enumerate(known)}
    taken = {exact[name] for name in names if name in exact}
    found: dict[str, list[int]] = {}
    for name, index in exact.items():
        if index not in taken:
            found.setdefault(spelling_key(name), []).append(index)
    asked = Counter(spelling_key(name) for name in names if name not in exact)

    def near(name: str) -> int | None:
        key = spelling_key(name)
        return found[key][0] if asked[key] == 1 and len(found.get(key, ())) == 1 else None

    return [exact[name] if name in exact else near(name) for name in names]


def alike(names: Sequence[str]) -> list[Note]:
    """Return a note where names differ only in case, in what separates their words or in how Unicode writes them: perhaps one
    class twice, but letters come in two cases, too."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(spelling_key(name), []).append(name)
    twice = [same for same in found.values() if len(same) > 1][:MOST_NAMED]
    return [Note(NoteKind.SIMILAR_CLASSES, tuple(map(len, twice)), tuple(chain(*twice)))] if twice else []
