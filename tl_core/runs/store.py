"""The store: one SQLite file that the pages, the command line, the runner and every run's process share.

Every change of state is compare-and-set: it names the states it may leave, and exactly one of two writers wins.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tl_core.errors import RunError, StorageError
from tl_core.events import Checkpoint, Event
from tl_core.runs.database import Database
from tl_core.runs.schema import LAST, Changes, Priority, Run, StoredEvent, clocks, queued, run_of
from tl_core.runs.states import AT_REST, AT_WORK, State, before
from tl_core.runs.tables import deletions, events, runs
from tl_core.spec import RunSpec
from tl_core.system import settings
from tl_core.system.files import storage_error

__all__ = ["Priority", "Run", "Store", "StoredEvent"]

_IN_LINE = (runs.c.priority.desc(), runs.c.place, runs.c.number)


class Store:
    """All runs below one folder: a database and a folder per run."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or settings.home()
        self.folders = settings.run_folders(self.home)
        for folder in (self.home, self.folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise storage_error(folder, error) from error
        self.database = Database(self.home / "store.sqlite")
        try:
            self.database.prepare()
        except StorageError:
            self.at_work()  # on a full disk what is stored can still be read; anything else raises again

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""
        self.database.close()

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run's files."""
        return self.folders / run_id

    def new_folder(self) -> Path:
        """Make an empty folder for a new run and return it. Its name is the run's id."""
        run_id = new_id()
        try:
            self.folder(run_id).mkdir()
        except OSError as error:
            raise storage_error(self.folders, error) from error
        return self.folder(run_id)

    def create(self, run_id: str, spec: RunSpec, **how: Any) -> None:
        """Keep a new run, at the end of the line of its priority; `how` are the keywords of `schema.queued`."""
        with self.database.writing(durable=True) as connection:
            connection.execute(queued(run_id, spec, **how))

    def change_state(
        self, run_id: str, leaving: Sequence[State], to: State, *, attempt: int | None = None, **values: Any
    ) -> bool:
        """Move a run to `to` and set both clocks forward, or change nothing; return whether it was moved (compare-and-set).

        Args:
            run_id: The run.
            leaving: The states that it may be in now.
            to: Its next state. Raises `ValueError` for a way that the state machine does not have.
            attempt: The attempt that it must be at; None stands for any.
            values: Columns that are set in the same write."""
        if not set(leaving) <= set(before(to)):
            raise ValueError(f"No run goes from {', '.join(leaving)} to {to}.")
        now = time.time()
        values |= {"state": to, "changed": now, "ended": now if to.ended else None} | clocks(now)
        if to is State.QUEUED:
            values |= {"error": None, "error_kind": None, "stage": "", "images_per_second": None, "collected": 0}
            values |= {"archived": False, "disk_bytes": None}
            # Whoever resumes one that was left at a rung wants it whole.
            values = {"rung": sa.case((runs.c.left_at.is_(None), runs.c.rung)), "left_at": None} | values
            # One that could not be launched has not had its turn yet.
            values["place"] = sa.case((runs.c.state == State.STARTING, runs.c.place), else_=LAST)
        statement = runs.update().where(runs.c.id == run_id, runs.c.state.in_(leaving)).values(**values)
        if attempt is not None:
            statement = statement.where(runs.c.attempts == attempt)
        with self.database.writing(durable=True) as connection:
            return bool(connection.execute(statement).rowcount)

    def record(self, run_id: str, told: Sequence[tuple[float, Event]], **progress: Any) -> None:
        """Append events (each with its time) and update what a run says of itself (`stage`, `done`, ...), in one write. Nothing
        is kept of a run that has been deleted meanwhile."""
        rows = [{"run_id": run_id, "at": at, "kind": event.kind, "data": event.values()} for at, event in told]
        # What a run goes on from after a power cut is on the disk; so must be what it had told until then.
        with self.database.writing(durable=any(isinstance(event, Checkpoint) for _, event in told)) as connection:
            if rows and not _is_deleted(connection, run_id):
                connection.execute(events.insert(), rows)
            if progress:
                connection.execute(runs.update().where(runs.c.id == run_id).values(**progress))

    def forget_after(self, run_id: str, step: int) -> None:
        """Drop the events of training after `step`: the run goes on from there and will report them again."""
        of_training = events.c.kind.in_(("step", "epoch")) & (events.c.data["step"].as_integer() > step)
        with self.database.writing() as connection:
            connection.execute(events.delete().where(events.c.run_id == run_id, of_training))

    def run(self, run_id: str) -> Run:
        """Return the run of that id. Raises `RunError` where there is none."""
        with self.database.reading() as connection:
            return _run(connection, run_id)

    def update(self, run_id: str, change: Callable[[Run], Mapping[str, Any]]) -> None:
        """Write the columns that `change` gives for the run as it is; nobody else writes meanwhile. Where it raises, nothing is
        written. Raises `RunError` where there is no such run."""
        with self.database.writing() as connection:
            values = change(_run(connection, run_id))
            connection.execute(runs.update().where(runs.c.id == run_id).values(**values))

    def delete(self, run_id: str, require: Callable[[Run], None]) -> None:
        """Delete row and events of a run, not its files, unless `require` raises, given the run as it is. Raises `RunError`."""
        with self.database.writing(durable=True) as connection:
            require(_run(connection, run_id))
            connection.execute(events.delete().where(events.c.run_id == run_id))
            connection.execute(runs.delete().where(runs.c.id == run_id))

    def deleted(self) -> list[str]:
        """Return the ids of all runs that were ever deleted."""
        with self.database.reading() as connection:
            return list(connection.execute(sa.select(deletions.c.run_id)).scalars())

    def named(self, name: str) -> str:
        """Return the id that is `name`, or the only one that ends with it. Raises `RunError`."""
        if not name.strip():  # an unset variable, and all ids end with nothing
            raise RunError("The id of the run is blank.", "See all runs with: python -m tl_core runs")
        with self.database.reading() as connection:
            query = sa.select(runs.c.id).where(runs.c.id.endswith(name, autoescape=True)).limit(2)
            found = connection.execute(query).scalars().all()
        if name in found or len(found) == 1:
            return name if name in found else found[0]
        what = "Several runs have ids that end so." if found else "There is no run of that id here."
        raise RunError(what, "See all runs with: python -m tl_core runs", received=name)

    def runs(self) -> list[Run]:
        """Return every run, the newest first."""
        return self.changes(0).runs

    def changes(self, after: int) -> Changes:
        """Return the runs that were made, changed and deleted since the revision `after`, all as of one instant."""
        with self.database.reading() as connection:
            changed = runs.select().where(runs.c.revision > after).order_by(runs.c.number.desc())
            found = [run_of(row) for row in connection.execute(changed).mappings()]
            gone = connection.execute(deletions.select().where(deletions.c.revision > after)).all()
        last = max((*(run.revision for run in found), *(row.revision for row in gone)), default=after)
        return Changes(found, [row.run_id for row in gone], last)

    def unmeasured(self, most: int | None) -> list[Run]:
        """Return runs at rest whose use of the disk is not known yet: at most so many, or all for None."""
        return self._select(runs.select().where(runs.c.state.in_(AT_REST), runs.c.disk_bytes.is_(None)).limit(most))

    def paused(self) -> list[Run]:
        """Return the runs that are paused."""
        return self._select(runs.select().where(runs.c.state == State.PAUSED))

    def at_work(self) -> list[Run]:
        """Return the runs that should have a process, the oldest first."""
        return self._select(runs.select().where(runs.c.state.in_(AT_WORK)).order_by(runs.c.number))

    def queue(self) -> list[Run]:
        """Return the waiting runs, the next one first."""
        return self._select(runs.select().where(runs.c.state == State.QUEUED).order_by(*_IN_LINE))

    def move(self, run_id: str, to: int) -> bool:
        """Put a waiting run at place `to` of the line (0 is the next to run); it takes on the priority it finds there. Return
        False where it waits no longer."""
        with self.database.writing() as connection:
            waiting = runs.select().where(runs.c.state == State.QUEUED).order_by(*_IN_LINE)
            line = connection.execute(waiting).mappings().all()
            others = [row for row in line if row["id"] != run_id]
            if len(others) == len(line):
                return False
            if others:
                to = min(to, len(others))
                priority = others[max(0, to - 1)]["priority"]
                alike = [row["id"] for row in others if row["priority"] == priority]
                alike.insert(to - sum(row["priority"] > priority for row in others), run_id)
                # All are numbered anew, since between two numbers there is not always a third.
                last = connection.execute(sa.select(LAST)).scalar_one()
                rows = [{"run": each, "at": last + index, "of": priority} for index, each in enumerate(alike)]
                numbered = runs.update().where(runs.c.id == sa.bindparam("run"))
                connection.execute(numbered.values(place=sa.bindparam("at"), priority=sa.bindparam("of")), rows)
        return True

    def prioritise(self, run_id: str, priority: Priority) -> bool:
        """Give a waiting or paused run another priority, at the end of that line. Return False where it is neither."""
        may = runs.c.state.in_((State.QUEUED, State.PAUSED))
        statement = runs.update().where(runs.c.id == run_id, may).values(priority=priority, place=LAST)
        with self.database.writing() as connection:
            return bool(connection.execute(statement).rowcount)

    def counts(self, run_id: str) -> dict[str, int]:
        """Return how many events of each kind a run has."""
        query = sa.select(events.c.kind, sa.func.count()).where(events.c.run_id == run_id).group_by(events.c.kind)
        with self.database.reading() as connection:
            return {str(kind): int(count) for kind, count in connection.execute(query)}

    def events(self, run_id: str, kind: str, *, most: int | None = None) -> list[StoredEvent]:
        """Return the events of one kind in order: all, or about `most`, thinned evenly in the database. The last one is kept."""
        wanted = events.c.run_id == run_id, events.c.kind == kind
        query = sa.select(events.c.id, events.c.at, events.c.kind, events.c.data).where(*wanted).order_by(events.c.id)
        if most is not None:  # the index alone says which to read
            place = sa.func.row_number().over(order_by=events.c.id.desc())
            numbered = (
                sa.select(events.c.id, place.label("place"), sa.func.count().over().label("total")).where(*wanted).subquery()
            )
            kept = (numbered.c.place - 1) % ((numbered.c.total + most - 1) / most) == 0
            query = query.where(events.c.id.in_(sa.select(numbered.c.id).where(kept)))
        with self.database.reading() as connection:
            return [StoredEvent(*row) for row in connection.execute(query)]

    def _select(self, query: sa.Select[Any]) -> list[Run]:
        with self.database.reading() as connection:
            return [run_of(row) for row in connection.execute(query).mappings()]


def new_id() -> str:
    """Return an id that nothing has. Ids sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def _run(connection: sa.Connection, run_id: str) -> Run:
    """Return the run of that id. Raises `RunError`."""
    row = connection.execute(runs.select().where(runs.c.id == run_id)).mappings().first()
    if row is None:
        what = "This run was deleted." if _is_deleted(connection, run_id) else "There is no run of that id here."
        raise RunError(what, "See all runs with: python -m tl_core runs", received=run_id)
    return run_of(row)


def _is_deleted(connection: sa.Connection, run_id: str) -> bool:
    return bool(connection.scalar(sa.select(deletions.c.run_id).where(deletions.c.run_id == run_id)))
