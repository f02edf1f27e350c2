"""Fill a home with as many runs as one likes, each a copy of a finished run there.

`python -m tests.tools.many_runs HOME RUN COUNT`. They differ in seed, labels, strategy, time and result; their files are links to
those of the one run.
"""

import os
import shutil
import sys
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tl_core.runs.store import Store
from tl_core.runs.tables import events, runs
from tl_core.spec import RunSpec
from tl_core.strategies import strategies

COUNTED = ("number", "revision", "state_revision")
"""Columns that the database fills in itself."""


def fill(home: Path, run_id: str, count: int) -> list[str]:
    """Make `count` runs that are like the one of that id, and return their ids."""
    store = Store(home)
    names = [name for name, part in strategies.parts().items() if part.pretrained]
    with store.database.writing() as connection:
        row = dict(connection.execute(runs.select().where(runs.c.id == run_id)).mappings().one())
        told = [dict(each) for each in connection.execute(events.select().where(events.c.run_id == run_id)).mappings()]
        made = [_like(row, place, name) for place, name in enumerate(islice(cycle(names), count))]
        connection.execute(runs.insert(), made)
        copied = [{**each, "run_id": run["id"], "id": None} for run in made for each in told]
        if copied:
            connection.execute(events.insert(), copied)
    for run in made:
        shutil.copytree(store.folder(run_id), store.folder(run["id"]), copy_function=os.link)
    return [run["id"] for run in made]


def _like(row: dict[str, Any], place: int, strategy: str) -> dict[str, Any]:
    changed = {"seed": place // len(strategies.parts()), "dataset.labels_per_class": 1 + place % 20, "strategy": strategy}
    own = {
        "id": f"20260101-{place // 3600:02}{place // 60 % 60:02}{place % 60:02}-{place:06x}",
        "spec": RunSpec.parse(row["spec"]).with_settings(changed).model_dump(mode="json"),
        "created": row["created"] - 60.0 * place,
        "seconds": (row["seconds"] or 1.0) * (1 + place % 37),
        "correct": min(row["test_images"], (row["correct"] or 0) + place % 11),
        "tags": ["even"] if place % 2 == 0 else [],
    }
    return {name: value for name, value in (row | own).items() if name not in COUNTED}


if __name__ == "__main__":
    fill(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
