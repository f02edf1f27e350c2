"""Texts without labels, wherever somebody has them: in files of lines, or in a column of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tl_core.data.formats.columns import Columns
from tl_core.data.formats.tables import ENDINGS as ENDINGS_OF_TABLES
from tl_core.data.formats.tables import PARQUET, encoding_of, read_table, why_unreadable
from tl_core.data.texts import EXCERPT, Texts
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind
from tl_core.system import settings

TEXTS = ("text", "sentence", "content", "review", "message", "document")
"""What a column of texts is usually called."""
OF_LINES = ".txt"
OF_TABLES = tuple(ending for ending in ENDINGS_OF_TABLES if ending != OF_LINES)
ENDINGS = (OF_LINES, *OF_TABLES)
MOST_BYTES = 10_000_000
"""Of a file of texts, and of all texts together."""


@dataclass(frozen=True)
class Written:
    """Texts that somebody has, each more than white space, and `notes` on what was left out."""

    texts: tuple[str, ...]
    notes: tuple[Note, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return how each begins."""
        return tuple(printable(" ".join(text[:EXCERPT].split())) for text in self.texts)

    def examples(self) -> Texts:
        """Return them as examples. They have no labels, and are all said to be of class 0."""
        return Texts(self.texts, np.zeros(len(self.texts), np.int64))


def is_path(given: str) -> bool:
    """Return whether what is `given` is there as a file or a folder, or must be meant as one: a single word that ends as files of
    texts do, or has a slash in it."""
    if len(given.split()) == 1 and ("/" in given or Path(given).suffix.lower() in ENDINGS):
        return True
    try:
        return Path(given).exists()
    except (OSError, ValueError):  # a text that is too long to be the name of a file
        return False


def require_files(files: Sequence[Path]) -> None:
    """Raise `DataError` where nothing is given, or one of the `files` is none of texts, larger than `MOST_BYTES`, or binary."""
    if not files:
        raise DataError("No text is given.", f"Write one, or name files that end in {', '.join(ENDINGS)}.")
    for file in files:
        received = printable(str(file))
        if file.is_dir():
            raise DataError("This is a folder, and no file of texts.", "Name the files in it.", received=received)
        if not file.is_file():
            next_step = "Check its spelling; a text that looks like a path can stand in a .txt file."
            raise DataError("There is no such file of texts.", next_step, received=received)
        if file.suffix.lower() not in ENDINGS:
            raise DataError("This is no file of texts.", f"Give one that ends in {', '.join(ENDINGS)}.", received=received)
        if file.stat().st_size > MOST_BYTES:
            raise _too_much(received)
        if file.suffix.lower() != PARQUET:
            _read(file)


def texts_in(files: Sequence[Path], column: str | None) -> Written:
    """Return the texts in `files`: each line of a .txt, or what stands in the `column` of a table, None for one that is called as
    such columns are. Raises `DataError` where there is none, or too much of them."""
    require_files(files)
    given, notes = list[str](), list[Note]()
    for file in map(settings.absolute, files):
        given += _lines(file) if file.suffix.lower() == OF_LINES else _column(file, column, notes)
    kept = tuple(text for text in given if text.strip())
    if not kept:
        raise DataError("There is no text here.", f"Write one, or give a file that ends in {', '.join(ENDINGS)}.")
    if sum(map(len, kept)) > MOST_BYTES:
        raise _too_much(f"{len(kept):,} texts")
    if len(kept) < len(given):
        notes.append(Note(NoteKind.BLANK_TEXTS, (len(given) - len(kept),)))
    return Written(kept, tuple(notes))


def _lines(file: Path) -> list[str]:
    return _read(file).removesuffix("\n").split("\n")


def _read(file: Path) -> str:
    """Return what stands in a file. Raises `DataError` where that is no text."""
    try:
        content = file.read_text(encoding=encoding_of(file))
        why = "it holds characters of the value 0, as binary files do" if "\0" in content else ""
    except (OSError, UnicodeError) as error:
        why = why_unreadable(error)
    if why:
        next_step = "Save it as plain text in UTF-8."
        raise DataError(f"This file of texts cannot be read: {why}.", next_step, received=printable(str(file)))
    return content


def _column(file: Path, column: str | None, notes: list[Note]) -> list[str]:
    return list(Columns(read_table(file), [column], notes).require(column, TEXTS, "texts"))


def _too_much(received: str) -> DataError:
    return DataError(f"These are more than {MOST_BYTES // 10**6} MB of texts.", "Give fewer at a time.", received=received)
