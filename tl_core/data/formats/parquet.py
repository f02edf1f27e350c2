"""Parquet files, measured before their values are laid out: a few kilobytes may stand for terabytes."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.errors import DataError, printable

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 16_384
UNREAD = "unread"
"""Among the `attrs` of a table: the names of the columns that are not read."""


def read_parquet(path: Path, most_bytes: int, most_rows: int) -> "pd.DataFrame":
    """Return the flat columns of the Parquet file at `path` as text, missing values empty, without bytes that are no text.

    Lists and records are not read. A value that repeats is stored once, so what a file stands for is added up, batch by batch,
    from the lengths of its values. Raises `DataError` for more than `most_bytes` or `most_rows`, and what Arrow raises for
    damaged files.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
    if count > most_rows:
        raise _too_large(f"{most_rows:,} rows", path)
    names = [field.name for field in schema if not field.type.num_fields]
    texts = [name for name in names if _is_text(schema.field(name).type)]
    total = 0
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=names):
            total += sum(map(_laid_out, batch.columns))
            if total > most_bytes:
                raise _too_large(f"{most_bytes:,} bytes when it is unpacked", path)
    frame = _as_text(path, names)
    frame.attrs[UNREAD] = [name for name in schema.names if name not in frame]
    return frame


def _as_text(path: Path, names: list[str]) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.read_parquet(path, columns=names, dtype_backend="numpy_nullable")  # whole numbers stay whole beside missing ones
    if any(name is not None for name in frame.index.names):  # pandas hides a column that names the rows
        frame = frame.reset_index()
    columns = dict[Any, Any]()
    for name, values in frame.items():
        with contextlib.suppress(UnicodeDecodeError):  # bytes that are no text, such as pictures
            columns[name] = values.astype("string").fillna("")
    return pd.DataFrame(columns, index=frame.index)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return any(
        fits(kind) for fits in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _laid_out(column: Any) -> int:
    """Return the bytes of the values of `column` when none is stored once for several."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.cast(pc.binary_length(column.dictionary), pa.int64())
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0)


def _too_large(what: str, path: Path) -> DataError:
    return DataError(f"This table has more than {what}.", "Cut it into smaller ones.", received=printable(str(path)))
