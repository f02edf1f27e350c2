"""A home that an earlier version made, and what that version said of it; `earlier_home.py` has made both."""

import json
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "earlier_homes" / "d6f6cb0"


def unpack(home: Path) -> None:
    """Put the home in the place of `home`."""
    with tarfile.open(FOLDER / "home.tar.xz") as packed:
        packed.extractall(home.with_name("unpacked"), filter="data")
    (home.with_name("unpacked") / "home").rename(home)


@cache
def expected() -> Mapping[str, Any]:
    """Return what the earlier version said: its `runs` by their ids, the `plans` of its strategies with the settings that it
    stored, and how the paused run ended when that version `finished` it."""
    found: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return found


def run_ids(state: str) -> list[str]:
    """Return the runs that are in `state`, the oldest first."""
    return [run_id for run_id, run in expected()["runs"].items() if run["row"]["state"] == state]
