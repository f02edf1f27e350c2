"""Kernel locks on files: one ends with its last holder, however that ends, and no reused process id can fool it."""

import fcntl
import os
from pathlib import Path


def hold(path: Path, *, wait: bool = False) -> int | None:
    """Return a descriptor that holds the lock of `path` (made where it is missing), or None where another process holds it.

    A process that inherits the descriptor goes on holding it. Close it to let go. With `wait`, None is never given. Raises
    `OSError`.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)  # another user's; the kernel locks it all the same


def is_held(path: Path) -> bool:
    """Return whether some process holds the lock. Those who only look share it, so that they do not see each other."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
