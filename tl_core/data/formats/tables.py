"""Tables in files, CSV, TSV or Parquet, with every value as text: "001", "NA" and "None" may be labels."""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.data.class_names import printable_names
from tl_core.data.examples import Labels
from tl_core.data.formats.parquet import read_parquet
from tl_core.data.split_names import CORE, EXTRA, SPLITS
from tl_core.errors import DataError, printable

if TYPE_CHECKING:
    import pandas as pd

PARQUET = ".parquet"
ENDINGS = (".csv", ".tsv", ".txt", PARQUET)
MOST_BYTES, MOST_ROWS, MOST_VALUES, LONGEST_LINE = 2_000_000_000, 5_000_000, 100_000_000, 1 << 20
SEPARATORS = ",;\t|"
ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""By how a file begins; Excel's Unicode text is UTF-16."""


def read_table(path: Path) -> "pd.DataFrame":
    """Return the table in the file at `path` as text, missing values empty, no two columns of one name. Raises `DataError`."""
    import pandas as pd  # half a second to import

    received, next_step = printable(str(path)), "Save it as CSV in UTF-8, or as Parquet."
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            "This is no table that can be read.", f"Give a file that ends in {', '.join(ENDINGS)}.", received=received
        )
    try:
        if not path.is_file():
            raise DataError("This file does not exist.", "Check its spelling.", received=received)
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"This table has more than {MOST_BYTES:,} bytes.", "Cut it into smaller ones.", received=received)
        is_parquet = path.suffix.lower() == PARQUET
        frame = read_parquet(path, MOST_BYTES, MOST_ROWS) if is_parquet else _csv(path)
    except (OSError, ValueError, ImportError, OverflowError, LookupError) as error:  # pandas' own errors are ValueErrors
        reason = why_unreadable(error)
        if isinstance(error, pd.errors.ParserError):
            next_step = "Put quotes around each value that holds the separator of the columns."
        raise DataError(f"This table cannot be read ({reason}).", next_step, received=received) from None
    if not len(frame):
        raise DataError("This table has no rows.", "Give one with a row for each example.", received=received)
    frame = frame.rename(columns=lambda name: str(name).strip())
    if len(twice := frame.columns[frame.columns.duplicated()]):
        what = f"Two columns of this table are called {printable(twice[0])}."
        raise DataError(what, "Give each a name of its own.", received=received)
    return frame


def why_unreadable(error: Exception) -> str:
    """Return why a file could not be read."""
    if isinstance(error, UnicodeError):
        return "it is no text in UTF-8"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    encoding = encoding_of(path)
    first = _first_line(path, encoding)
    separator = _separator(path, first)
    rows = min(MOST_ROWS, MOST_VALUES // (first.count(separator) + 1))
    more: dict[str, Any] = {"sep": separator, "encoding": encoding, "dtype": str, "keep_default_na": False}
    names = pd.read_csv(path, header=None, nrows=1, skipinitialspace=True, **more).iloc[0]
    frame = pd.read_csv(path, nrows=rows + 1, skipinitialspace=True, **more)
    if len(frame) > rows:
        what = f"{MOST_ROWS:,} rows" if rows == MOST_ROWS else f"{MOST_VALUES:,} values"
        raise DataError(f"This table has more than {what}.", "Cut it into smaller ones.", received=printable(str(path)))
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what is too much for names of the rows, and shifts the others
        raise pd.errors.ParserError("its rows have more values than there are names of columns")
    frame.columns = pd.Index([name or unnamed for name, unnamed in zip(names, frame.columns, strict=True)])  # twice is twice
    return frame.fillna("")


def encoding_of(path: Path) -> str:
    """Return how the text is encoded: as its first bytes say, UTF-16 where one of two is 0, and UTF-8 otherwise."""
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in ENCODINGS.items() if head.startswith(mark)), None)
    if marked:
        return marked
    return "utf-16-be" if head[:1] == b"\0" else "utf-16-le" if head[1:2] == b"\0" else "utf-8-sig"


def _first_line(path: Path, encoding: str) -> str:
    """Return the line with the names of the columns, the first that is not blank. Raises `DataError` where it does not end."""
    with path.open(encoding=encoding) as file:
        line = file.readline(LONGEST_LINE)
        while line.isspace() and len(line) < LONGEST_LINE:
            line = file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            what = f"The first line of this table has more than {LONGEST_LINE:,} characters, and names no columns."
            raise DataError(what, "Begin with a line of the columns' names.", received=printable(str(path)))
    return line


def _separator(path: Path, first_line: str) -> str:
    """Return what stands most often between the names of the columns; a comma where nothing does. A TSV has tabs."""
    return "\t" if path.suffix.lower() == ".tsv" else max(SEPARATORS, key=re.sub(r'"[^"]*"', "", first_line).count)


def plain(labels: "pd.Series[str]") -> "pd.Series[str]":
    """Return the labels as they are compared: without white space around them, each letter in one form (NFC)."""
    return labels.str.strip().str.normalize("NFC")


def classes_of(labels: "pd.Series[str]") -> tuple[tuple[str, ...], Labels]:
    """Return the names of the classes, sorted, and the class of each row (n,), by its label as `plain` gives it. Names that
    differ only in what no screen shows are told apart by a number. Raises `DataError` for what is no name."""
    import pandas as pd

    codes, names = pd.factorize(plain(labels).to_numpy(dtype=object), sort=True)
    return printable_names(names.tolist()), codes.astype(np.int64)


def split_of(values: "pd.Series[str] | None", count: int) -> list[str]:
    """Return the split of each of `count` rows, all train without the column. Raises `DataError` for a word that names none."""
    if values is None:
        return ["train"] * count
    words, known = [str(value).strip().lower() for value in values], SPLITS | EXTRA
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise DataError(
            f"A row names a split that is none, in the column {printable(str(values.name))}.",
            f"Use {', '.join(sorted(known))}, or set dataset.split_column=none to have the rows shared out anew.",
            received=printable(unknown) or "nothing",
        )
    return [known[word] for word in words]


def rows_of(splits: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the rows of each split that has any. Raises `DataError` where none is for training."""
    words = np.array(splits)
    found = {split: rows for split in (*CORE, *EXTRA) if len(rows := np.flatnonzero(words == split))}
    if "train" not in found:
        raise DataError("No row of the table is for training.", "Give the split train to some, or set dataset.split_column=none.")
    return found
