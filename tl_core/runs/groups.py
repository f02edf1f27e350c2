"""Groups in the store: what each asks, and which runs answer it. A run may belong to several."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from tl_core.errors import RunError, SettingError, TransferError
from tl_core.groups import halving
from tl_core.groups.budget import NotStarted
from tl_core.groups.expansion import Member
from tl_core.groups.group import Group, key, question
from tl_core.recipe import Recipe
from tl_core.runs.schema import queued, run_of
from tl_core.runs.states import State
from tl_core.runs.store import Run, Store, new_id
from tl_core.runs.tables import groups, lost_members, memberships, runs
from tl_core.spec import RunSpec

JOINED = (State.DONE, State.QUEUED, State.STARTING, State.RUNNING)
"""States in which a run of the same settings is as good as another one."""
SEE = "See all groups with: python -m tl_core sweep list"


@dataclass(frozen=True)
class StoredGroup:
    """A group that was started: `runs` are the ids of its runs in the order of its axes, each with its values of them, `lost` are
    the values of those that were deleted and not made again, and `not_started` are those that its budget left out."""

    id: str
    group: Group
    created: float
    runs: Mapping[str, Mapping[str, Any]]
    lost: Sequence[Mapping[str, Any]] = ()
    not_started: Sequence[NotStarted] = ()

    def among(self, known: Iterable[Run]) -> list[Run]:
        """Return those of the `known` runs that are its own, in their order."""
        by_id = {run.id: run for run in known}
        return [by_id[run_id] for run_id in self.runs if run_id in by_id]


@dataclass(frozen=True)
class Kept:
    """What became of a wish for runs: the group's id, the runs that were queued, and those that were there already."""

    group_id: str
    queued: tuple[str, ...]
    joined: tuple[str, ...]


def listed(store: Store) -> list[StoredGroup]:
    """Return every group that this version can read, the newest first."""
    with store.database.reading() as connection:
        rows = connection.execute(groups.select().order_by(groups.c.created.desc(), groups.c.id)).mappings().all()
        members, lost = (_by_group(connection, table) for table in (memberships, lost_members))
    found = []
    for row in rows:
        with suppress(SettingError):
            found.append(_stored(row, members[row["id"]], lost[row["id"]]))
    return found


def one(store: Store, group_id: str) -> StoredGroup:
    """Return the group of that id. Raises `RunError` where there is none, and `SettingError` for one of another version."""
    with store.database.reading() as connection:
        row = connection.execute(groups.select().where(groups.c.id == group_id)).mappings().first()
        members, lost = (_by_group(connection, table, group_id)[group_id] for table in (memberships, lost_members))
    if row is None:
        raise RunError("There is no group of that id here.", SEE, received=group_id)
    return _stored(row, members, lost)


def asking(known: Iterable[StoredGroup], group: Group) -> StoredGroup | None:
    """Return which of the `known` groups asks the same as `group`, if there is one."""
    return next((each for each in known if question(each.group.stored()) == question(group.stored())), None)


def named(store: Store, name: str) -> StoredGroup:
    """Return the only group that has that id or name, or an id that ends so. Raises `RunError`."""
    if not name.strip():  # an unset variable, and all ids end with nothing
        raise RunError("The name of the group is blank.", SEE)
    every = listed(store)
    exact = [each for each in every if name in (each.id, each.group.name)]
    found = exact or [each for each in every if each.id.endswith(name)]
    if len(found) != 1:
        raise RunError("Several groups are called so." if found else "There is no such group here.", SEE, received=name)
    return found[0]


def existing(known: Iterable[Run], wanted: Collection[str]) -> dict[str, str]:
    """Return the ids of runs among `known`, finished ones first, that need not be made again, by those of the `wanted` contents
    that they have."""
    fitting = [run for run in known if run.state in JOINED and not run.unreadable]
    found = {_content(run.spec.model_dump_json()): run.id for run in sorted(fitting, key=lambda run: run.state is State.DONE)}
    return {content: found[content] for content in wanted if content in found}


def keep(
    store: Store,
    group: Group,
    members: Sequence[Member],
    folders: Mapping[str, str],
    *,
    environment: Mapping[str, str],
    left: Sequence[NotStarted] = (),
    at: StoredGroup | None = None,
) -> Kept | None:
    """Keep `group` and see to it that it has `members`, in one transaction: who asks for the same at once makes nothing twice.
    Return None, and keep nothing, where the group is not `at` any more, or a run to be joined has gone: look once more.

    Args:
        store: Where.
        group: What is asked.
        members: Its runs. Those that the group has, or whose like waits, works or is done, are not queued.
        folders: The ids of runs whose folders are there, by the contents of their specs.
        environment: What their processes are started with.
        left: What its budget leaves out.
        at: The group as the asker saw it, which becomes `group`. Without, one that asks the same goes on, or a new one begins.
    """
    wanted = {member.spec.content: member for member in members}
    with store.database.writing(durable=True) as connection:
        if at is not None and not _is(connection, at):
            return None
        group_id = at.id if at else _same(connection, group)
        own = _own(connection, group_id)
        there = existing(_in(connection, JOINED), wanted)
        joined = {content: run_id for content, run_id in there.items() if content not in own}
        new = {content: folders.get(content) for content in wanted if content not in own | there}
        if None in new.values():
            return None
        group_id = _write(connection, group, group_id, left)  # first: runs that are no older were made for it
        _queue(connection, group, {str(run_id): wanted[content] for content, run_id in new.items()}, environment)
        _want_whole(connection, group, [*own.values(), *joined.values()])
        for content, run_id in (joined | new).items():
            settings = dict(wanted[content].settings)
            connection.execute(memberships.insert().values(group_id=group_id, run_id=run_id, settings=settings))
    return Kept(group_id, tuple(map(str, new.values())), tuple(joined.values()))


@lru_cache(maxsize=4096)
def _content(spec_json: str) -> str:
    """Return the content of a stored spec as it is written out today; its own where its parts are no longer installed."""
    spec = RunSpec.model_validate_json(spec_json)
    try:
        return Recipe.of(spec, lambda _: None).spec().content
    except TransferError:
        return spec.content


def _same(connection: sa.Connection, group: Group) -> str | None:
    """Return the id of a group that asks exactly this."""
    asked = question(group.stored())
    rows = connection.execute(sa.select(groups.c.id, groups.c.definition))
    return next((row.id for row in rows if question(row.definition) == asked), None)


def _is(connection: sa.Connection, at: StoredGroup) -> bool:
    """Return whether a group is stored as it was seen."""
    definition = connection.scalar(sa.select(groups.c.definition).where(groups.c.id == at.id))
    return definition is not None and Group.parse(definition) == at.group


def _own(connection: sa.Connection, group_id: str | None) -> dict[str, str]:
    """Return the ids of the runs of a group, whatever became of them, by the contents of their specs."""
    members = sa.select(memberships.c.run_id).where(memberships.c.group_id == group_id)
    rows = connection.execute(runs.select().where(runs.c.id.in_(members))).mappings()
    return {_content(run.spec.model_dump_json()): run.id for run in map(run_of, rows)}


def _write(connection: sa.Connection, group: Group, group_id: str | None, left: Sequence[NotStarted]) -> str:
    """Store what a group asks, and what is `left` out of it, a new one where it has no id yet, and return its id."""
    values = {"definition": group.stored(), "not_started": list(map(asdict, left))}
    if group_id is not None:
        connection.execute(groups.update().where(groups.c.id == group_id).values(**values))
        return group_id
    group_id = new_id()
    connection.execute(groups.insert().values(id=group_id, created=time.time(), **values))
    return group_id


def _in(connection: sa.Connection, states: Sequence[State]) -> list[Run]:
    return [run_of(row) for row in connection.execute(runs.select().where(runs.c.state.in_(states))).mappings()]


def _queue(connection: sa.Connection, group: Group, new: Mapping[str, Member], environment: Mapping[str, str]) -> None:
    """Queue the `new` runs of a group, by their ids; where it is halved they pause at the first rung."""
    rung = halving.first_rung(list(new.values())) if group.successive_halving else None
    for run_id, member in new.items():
        connection.execute(queued(run_id, member.spec, environment=environment, rung=rung))


def _want_whole(connection: sa.Connection, group: Group, run_ids: Collection[str]) -> None:
    """Let runs go to their end, unless `group` holds them against each other on the way."""
    if not group.successive_halving:
        connection.execute(runs.update().where(runs.c.id.in_(run_ids), runs.c.rung.is_not(None)).values(rung=None))


def _by_group(connection: sa.Connection, table: sa.Table, group_id: str | None = None) -> dict[str, list[sa.RowMapping]]:
    """Return the rows of a table of runs by their groups: of one of them, or of all for None."""
    wanted = table.select() if group_id is None else table.select().where(table.c.group_id == group_id)
    found: dict[str, list[sa.RowMapping]] = defaultdict(list)
    for row in connection.execute(wanted).mappings():
        found[row["group_id"]].append(row)
    return found


def _stored(row: sa.RowMapping, members: Sequence[sa.RowMapping], lost: Sequence[sa.RowMapping]) -> StoredGroup:
    group = Group.parse(row["definition"])
    places = {axis: [key(value) for value in values] for axis, values in group.axes.items()}

    def place(settings: Mapping[str, Any]) -> list[int]:
        return [places[axis].index(key(settings[axis])) if axis in settings else 0 for axis in places]

    own = {member["run_id"]: member["settings"] for member in members}
    there = set(map(key, own.values()))
    gone = {key(each["settings"]): each["settings"] for each in lost if key(each["settings"]) not in there}
    in_order = dict(sorted(own.items(), key=lambda pair: place(pair[1])))
    left = [NotStarted(**each) for each in row["not_started"] if key(each["settings"]) not in there]
    return StoredGroup(row["id"], group, row["created"], in_order, sorted(gone.values(), key=place), left)
