"""The store: one SQLite file that the pages, the command line and every run's process share.

Write-ahead logging lets readers go on while a run writes. Every change of state is compare-and-set: it names
the states it may leave, and exactly one of two writers wins.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from tl_core import settings
from tl_core.errors import RunError, StorageError
from tl_core.events import Event
from tl_core.runs.states import ALIVE, State
from tl_core.spec import RunSpec

BUSY_SECONDS = 10
"""How long a writer waits for another one."""

_metadata = sa.MetaData()
_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Column("pid", sa.Integer),
    sa.Column("stage", sa.String, nullable=False, server_default=""),
    sa.Column("done", sa.Float, nullable=False, server_default="0"),
    sa.Column("images_per_second", sa.Float),
    sa.Column("error", sa.String),
    sa.Column("error_kind", sa.String),
    sa.Column("correct", sa.Integer),
    sa.Column("test_images", sa.Integer),
    sa.Column("test_digest", sa.String),
    sa.Column("seconds", sa.Float),
    sa.Column("trainable_parameters", sa.Integer),
    sa.Column("total_parameters", sa.Integer),
)
_events = sa.Table(
    "events",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("events_of_run", "run_id", "kind", "id"),
)


@dataclass(frozen=True)
class Run:
    """A run as the store knows it. Times are seconds since 1970; the last six fields are None until it is done.

    `changed` is when its state last changed, `done` the share of its work that lies behind it (0..1), and
    `seconds` the wall seconds inside `train`.
    """

    id: str
    spec: RunSpec
    state: State
    created: float
    started: float | None
    ended: float | None
    changed: float
    pid: int | None
    stage: str
    done: float
    images_per_second: float | None
    error: str | None
    error_kind: str | None
    correct: int | None
    test_images: int | None
    test_digest: str | None
    seconds: float | None
    trainable_parameters: int | None
    total_parameters: int | None

    @property
    def accuracy(self) -> float | None:
        """Share of test images classified correctly, 0..1; None until the run is done."""
        return None if self.correct is None or not self.test_images else self.correct / self.test_images


@dataclass(frozen=True)
class StoredEvent:
    """An event as it was stored: its number, when it happened, its kind, and its fields."""

    id: int
    at: float
    kind: str
    data: dict[str, Any]


class Store:
    """All runs below one folder: a database and a folder per run."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or settings.home()
        try:
            (self.home / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _storage_error(self.home, error) from error
        self._file = self.home / "store.sqlite"
        self._engine = sa.create_engine(sa.URL.create("sqlite", database=str(self._file)), connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(self._engine, "connect", _configure)
        unlogged = {"immutable": "1", "uri": "true"}
        self._at_rest = sa.create_engine(sa.URL.create("sqlite", database=f"file:{quote(str(self._file))}", query=unlogged))
        try:
            with self._writing() as connection:
                _create_tables(connection)
        except StorageError:
            self.runs(alive=True)  # on a full disk what is stored can still be read; anything else raises again

    def folder(self, run_id: str) -> Path:
        """The folder of a run's files."""
        return self.home / "runs" / run_id

    def new_folder(self) -> Path:
        """An empty folder for a new run; its name is the run's id, which sorts by time."""
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        try:
            self.folder(run_id).mkdir()
        except OSError as error:
            raise _storage_error(self.home, error) from error
        return self.folder(run_id)

    def create(self, run_id: str, spec: RunSpec) -> None:
        """Keep a new run in the state `starting`."""
        now = time.time()
        row = {"id": run_id, "spec": spec.model_dump(mode="json"), "state": State.STARTING, "created": now, "changed": now}
        with self._writing() as connection:
            connection.execute(_runs.insert().values(**row))

    def change_state(self, run_id: str, leaving: Sequence[State], to: State, **values: Any) -> bool:
        """Compare-and-set: move a run to `to` if it is in one of `leaving`, with `values` set in the same
        write. False where it was in another state, and then nothing has changed."""
        now = time.time()
        values |= {"state": to, "changed": now} | ({} if to.alive else {"ended": now})
        statement = _runs.update().where(_runs.c.id == run_id, _runs.c.state.in_(leaving)).values(**values)
        with self._writing() as connection:
            return bool(connection.execute(statement).rowcount)

    def record(self, run_id: str, events: Sequence[tuple[float, Event]], **progress: Any) -> None:
        """Append events (each with its time) and update the run's `stage`, `done` or `images_per_second`, in one write."""
        rows = [{"run_id": run_id, "at": at, "kind": event.kind, "data": event.values()} for at, event in events]
        with self._writing() as connection:
            if rows:
                connection.execute(_events.insert(), rows)
            if progress:
                connection.execute(_runs.update().where(_runs.c.id == run_id).values(**progress))

    def run(self, run_id: str) -> Run:
        """The run of that id; raises `RunError` where there is none."""
        with self._reading() as connection:
            row = connection.execute(_runs.select().where(_runs.c.id == run_id)).mappings().first()
        if row is None:
            raise RunError("There is no run of that id here.", "See all runs with: python -m tl_core runs", received=run_id)
        return _run(row)

    def runs(self, *, alive: bool = False) -> list[Run]:
        """Every run, the newest first; with `alive`, only those that should have a process."""
        query = _runs.select().order_by(_runs.c.created.desc())
        with self._reading() as connection:
            rows = connection.execute(query.where(_runs.c.state.in_(ALIVE)) if alive else query).mappings().all()
        return [_run(row) for row in rows]

    def events(self, run_id: str, kind: str, *, most: int | None = None) -> list[StoredEvent]:
        """Events of one kind in order. With `most`, evenly thinned in the database to about that many; the last is kept."""
        numbered = sa.select(
            _events, sa.func.row_number().over(order_by=_events.c.id.desc()).label("place"), sa.func.count().over().label("total")
        ).where(_events.c.run_id == run_id, _events.c.kind == kind)
        inner = numbered.subquery()
        query = sa.select(inner.c.id, inner.c.at, inner.c.kind, inner.c.data).order_by(inner.c.id)
        if most is not None:
            query = query.where((inner.c.place - 1) % ((inner.c.total + most - 1) / most) == 0)
        with self._reading() as connection:
            return [StoredEvent(*row) for row in connection.execute(query)]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with _said_as_storage_error(self.home), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _said_as_storage_error(self.home), self._connect() as connection:
            yield connection

    def _connect(self) -> sa.Connection:
        """A connection to read by. SQLite's log needs some space even for readers; where there is none, and no log
        is left to be read, the file itself is enough."""
        try:
            return self._engine.connect()
        except sa.exc.OperationalError:
            log = self._file.with_name(f"{self._file.name}-wal")
            if not self._file.is_file() or (log.is_file() and log.stat().st_size):
                raise
            return self._at_rest.connect()


@contextmanager
def _said_as_storage_error(home: Path) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if type(error) not in (sa.exc.DatabaseError, sa.exc.OperationalError):
            raise  # a statement of ours that does not fit
        raise _storage_error(home, error.orig or error) from error


def _create_tables(connection: sa.Connection) -> None:
    """Each table unless it is there, decided by SQLite: `create_all` looks first, and another process may be quicker."""
    for table in _metadata.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def _run(row: sa.RowMapping) -> Run:
    return Run(**{**row, "spec": RunSpec.parse(row["spec"]), "state": State(row["state"])})


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _storage_error(home: Path, error: BaseException) -> StorageError:
    return StorageError(
        f"Runs cannot be stored ({error}).",
        f"Free some space or make the folder writable, or choose another one with {settings.HOME_VARIABLE}.",
        received=home,
    )
