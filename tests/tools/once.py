"""Things that take seconds to make, and are made once for all workers of a session."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import TypeAdapter

from tl_core.system import locks
from tl_core.system.files import write_whole

T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, kind: type[T], make: Callable[[Path], T]) -> T:
    """Return what `make` gives, called by the first worker that asks, with a folder of its own; the others wait and read it.

    It is kept as the JSON of a `kind`.
    """
    session = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder = session / name
    folder.mkdir(exist_ok=True)
    file, adapter = folder / "made.json", TypeAdapter(kind)
    lock = locks.hold(folder / "lock", wait=True)
    assert lock is not None
    try:
        if not file.exists():
            content = adapter.dump_json(make(folder))
            write_whole(file, lambda path: path.write_bytes(content))
        return adapter.validate_json(file.read_bytes())
    finally:
        os.close(lock)
