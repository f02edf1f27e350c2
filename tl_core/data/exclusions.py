"""Examples that somebody decided to leave out: a list kept by its content, so that a run's setting means the same forever."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter

from tl_core.data.examples import Examples
from tl_core.errors import DataError
from tl_core.system.files import write_whole

ID_DIGITS = 16
E = TypeVar("E", bound=Examples)


@dataclass(frozen=True)
class Exclusions:
    """Digests (sha256 of the content, hexadecimal) by the name of the split that they leave: those that are `gone` from it, and
    those of which only the first copy stays (`once`)."""

    gone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    once: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.gone.values()) or any(self.once.values())

    def rest(self, split: str, examples: E) -> E:
        """Return the examples that stay in the split of that name. Raises `DataError` for one that cannot be read."""
        gone, once = (set(map(bytes.fromhex, listed.get(split, ()))) for listed in (self.gone, self.once))
        if not gone and not once:
            return examples
        seen: set[bytes] = set()
        stays = np.ones(len(examples), bool)
        for index, digest in enumerate(examples.ids):
            stays[index] = digest not in gone and not (digest in once and digest in seen)
            seen.add(digest)
        return examples.take(np.flatnonzero(stays))


_FORMAT = TypeAdapter(Exclusions)


def keep(home: Path, left_out: Exclusions) -> str:
    """Save the list below `home` and return its id, which is the same for the same list. Raises `StorageError`."""
    content = _FORMAT.dump_json(left_out)
    name = hashlib.sha256(content).hexdigest()[:ID_DIGITS]
    file = _file(home, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, lambda path: path.write_bytes(content))
    return name


def kept(home: Path, name: str) -> Exclusions:
    """Return the list of that id. Raises `DataError` where it is not here, or is not what was saved."""
    try:
        content = _file(home, name).read_bytes()
        if hashlib.sha256(content).hexdigest()[:ID_DIGITS] == name:
            return _FORMAT.validate_json(content)
        reason = "its content has changed"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise DataError(
        f"The list of what to leave out is not here ({reason}).",
        "Examine the dataset again, or set dataset.left_out=null to use all of it.",
        received=name,
    )


def _file(home: Path, name: str) -> Path:
    return home / "left_out" / f"{name}.json"
