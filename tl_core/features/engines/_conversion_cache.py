"""Files that are kept for the next time as long as there is room, each under a key of all that its content depends on.

A file holds the sha256 of its key and content before the content: what was damaged, cut off or put there under another key
is as if it were not there.
"""

import contextlib
import hashlib
from pathlib import Path

from tl_core.errors import StorageError
from tl_core.system.files import write_whole

ROOM = 1 << 30
"""Bytes that one folder may hold. Files that were not used for longest give way, a file that a killed process left, too."""
DIGEST = hashlib.sha256().digest_size


def load(folder: Path, key: str) -> bytes | None:
    """Return the content kept under `key`; None where there is none, or none that is whole. It counts as used from now on."""
    path = _path(folder, key)
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    content = raw[DIGEST:]
    if raw[:DIGEST] != _digest(key, content):
        return None
    with contextlib.suppress(OSError):  # a folder that only others may write
        path.touch()
    return content


def save(folder: Path, key: str, content: bytes) -> None:
    """Keep `content` under `key`, if `folder` can be written and has room for it."""
    if len(content) > ROOM:
        return
    with contextlib.suppress(OSError, StorageError):
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, ROOM - len(content))
        write_whole(_path(folder, key), lambda path: path.write_bytes(_digest(key, content) + content))


def _path(folder: Path, key: str) -> Path:
    """Return the file of `key`, which is hashed once more, so that no key can name another folder."""
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.openvino"


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


def _make_room(folder: Path, room: int) -> None:
    """Remove the files used least recently until the others take no more than `room` bytes."""
    found = []
    for path in folder.glob("*.openvino"):
        with contextlib.suppress(FileNotFoundError):  # another process makes room as well
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)
