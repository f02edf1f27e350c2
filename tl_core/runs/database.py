"""The SQLite file under the store: write-ahead logging, tables made and widened, every trouble told as a `StorageError`."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from tl_core.runs import tables
from tl_core.system.files import storage_error

BUSY_SECONDS = 10
"""How long a writer waits for another one."""
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
"""What SQLite answers while another process has what is asked for."""


class Database:
    """One file that any number of processes read and write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)), connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(self._engine, "connect", _configure)
        sa.event.listen(self._engine, "begin", _begin)
        unlogged = {"immutable": "1", "uri": "true"}
        self._at_rest = sa.create_engine(sa.URL.create("sqlite", database=f"file:{quote(str(file))}", query=unlogged))

    def prepare(self) -> None:
        """Make the tables, and the columns that a file of an earlier version lacks. Raises `StorageError`."""
        with self.reading() as connection:
            if _is_complete(connection):
                return
        with self.writing() as connection:
            _create_tables(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
        self._at_rest.dispose()

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sa.Connection]:
        """Open one transaction, which no other writer can come into; all of it is kept, or nothing. A `durable` one outlives a
        power cut as soon as it has ended, and all before it do, too; of others the last seconds may be lost then."""
        begun = self._engine.execution_options(writes=True, durable=durable)
        with _said_as_storage_error(self._file), begun.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a view of the file as it is now, which no writer disturbs."""
        with _said_as_storage_error(self._file), self._connect() as connection:
            yield connection

    def _connect(self) -> sa.Connection:
        """Return a connection to read by. SQLite's log needs some space even for readers; where there is none, and no log is left
        to be read, the file itself is enough."""
        try:
            return self._engine.connect()
        except sa.exc.OperationalError:
            log = self._file.with_name(f"{self._file.name}-wal")
            if not self._file.is_file() or (log.is_file() and log.stat().st_size):
                raise
            return self._at_rest.connect()


@contextmanager
def _said_as_storage_error(file: Path) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if type(error) not in (sa.exc.DatabaseError, sa.exc.OperationalError):
            raise  # a statement of ours that does not fit
        raise storage_error(file.parent, error.orig or error) from error


def _columns(connection: sa.Connection, table: sa.Table) -> set[str]:
    return {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}


def _is_complete(connection: sa.Connection) -> bool:
    return all(set(table.columns.keys()) <= _columns(connection, table) for table in tables.metadata.sorted_tables)


def _create_tables(connection: sa.Connection) -> None:
    """Create each table unless it is there, decided by SQLite: `create_all` looks first, and another process may be quicker.
    Columns that a table of an earlier version lacks are added."""
    for table in tables.metadata.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for column in table.columns:
            if column.name not in _columns(connection, table):
                described = sa.schema.CreateColumn(column).compile(connection)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {described}")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
    for statement in tables.COUNTING:
        connection.exec_driver_sql(statement)


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` begins, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        _patiently(cursor, f"PRAGMA {pragma}")
    cursor.close()


def _patiently(cursor: Any, statement: str) -> None:
    """Execute a statement, and try again for `BUSY_SECONDS` while the file is locked. SQLite refuses to change a fresh file's
    journal at once, without waiting, while another process does the same."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in LOCKED or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: sa.Connection) -> None:
    """Begin a transaction. A writer takes its place at once: one that reads first and writes later would be refused if another
    came between."""
    options = connection.get_execution_options()
    if options.get("writes"):
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('durable') else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")
