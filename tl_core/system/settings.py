"""Settings of this machine, all from environment variables: where runs are kept and which folders may be read."""

import contextlib
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from tl_core.errors import SettingError


def absolute(path: Path | str) -> Path:
    """Return `path` from the root of the disk. A leading ~ is the user's home, and stays where there is no such user or home."""
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111  # Path would raise there


ServerPath = Annotated[Path, AfterValidator(absolute)]
"""A path on the machine that trains, made absolute when it is set, so that a stored run means the same from anywhere."""

HOME_VARIABLE = "TRANSFER_LAB_HOME"
RUNS_VARIABLE = "TRANSFER_LAB_RUNS"
DATA_ROOTS_VARIABLE = "TRANSFER_LAB_DATA_ROOTS"
SPARE_VARIABLE = "TRANSFER_LAB_SPARE"
LEASES_VARIABLE = "TRANSFER_LAB_LEASES"
CHECKPOINT_VARIABLE = "TRANSFER_LAB_CHECKPOINT_SECONDS"
CACHE_VARIABLE = "TRANSFER_LAB_CACHE"
CACHE_LIMIT_VARIABLE = "TRANSFER_LAB_CACHE_GB"
CACHE_ENDING = ".part"
"""The ending of the files that fill the cache."""
SPEC, RESULT, MODEL = "spec.json", "result.json", "model.keras"
"""What files in the folder of a run are called."""


def home() -> Path:
    """Return the folder of everything Transfer Lab stores: `TRANSFER_LAB_HOME`, by default `~/.transfer_lab`."""
    return absolute(os.environ.get(HOME_VARIABLE) or "~/.transfer_lab")


def run_folders(home: Path) -> Path:
    """Return the folder that holds a folder of files for each run: `TRANSFER_LAB_RUNS`, by default `runs` below `home`.

    A cluster needs it on a disk that all its machines see below the same path; the database beside it must be on a disk of this
    machine.
    """
    given = os.environ.get(RUNS_VARIABLE)
    return absolute(given) if given else home / "runs"


def keeps_spare() -> bool:
    """Return whether an interpreter may wait with Keras imported: unless `TRANSFER_LAB_SPARE` is 0. It costs some memory."""
    return os.environ.get(SPARE_VARIABLE, "1") != "0"


def gpu_leases() -> Path:
    """Return the folder of the locks on GPUs, one for all users of the machine: `TRANSFER_LAB_LEASES`, by default one in the
    system's temporary folder."""
    return Path(os.environ.get(LEASES_VARIABLE) or Path(tempfile.gettempdir()) / "transfer_lab_leases").absolute()


def checkpoint_seconds() -> float:
    """Return the least seconds between two checkpoints of a run: `TRANSFER_LAB_CHECKPOINT_SECONDS`, by default 30. Raises
    `SettingError` where it is no number."""
    given = os.environ.get(CHECKPOINT_VARIABLE) or "30"
    try:
        return float(given)
    except ValueError:
        raise SettingError(f"{CHECKPOINT_VARIABLE} is no number.", "Give it a number of seconds.", received=given) from None


def cache_folder(home: Path) -> Path:
    """Return the folder of activations that all runs of `home` share: `TRANSFER_LAB_CACHE`, by default `cache` below `home`."""
    given = os.environ.get(CACHE_VARIABLE)
    return absolute(given) if given else home / "cache"


def cache_limit(folder: Path) -> int:
    """Return the bytes that the cache in `folder` may take: `TRANSFER_LAB_CACHE_GB` (10^9 bytes), by default 20.

    It is never more than half of what is free on that disk together with what the cache already holds, since runs are kept there,
    too. Raises `SettingError`.
    """
    given = os.environ.get(CACHE_LIMIT_VARIABLE) or "20"
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise SettingError(f"{CACHE_LIMIT_VARIABLE} is no positive number.", "Give it a number of GB.", received=given)
    return int(min(gigabytes * 1e9, (_free(folder) + _held(folder)) / 2))


def keras_home() -> Path:
    """Return the folder of Keras' settings, datasets and weights: `KERAS_HOME`, by default `~/.keras`, or what Keras takes in its
    place where it may not write there."""
    given = os.environ.get("KERAS_HOME")
    own = absolute("~") if os.access(absolute("~"), os.W_OK) else Path("/tmp")  # noqa: S108  # Keras' choice
    return absolute(given) if given else own / ".keras"


def uploads(home: Path) -> Path:
    """Return the folder of unpacked archives in `home`."""
    return home / "uploads"


def cache_room(home: Path) -> int:
    """Return the bytes that what one run needs of the cache at a time may take: half of it."""
    return cache_limit(cache_folder(home)) // 2


def _free(folder: Path) -> int:
    """Return the bytes free on the disk of `folder`, or of the nearest folder above it that is there."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return 0


def _held(folder: Path) -> int:
    held = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # thrown away just now
                held += entry.stat(follow_symlinks=False).st_size if entry.name.endswith(CACHE_ENDING) else 0
    return held


def data_roots() -> tuple[Path, ...]:
    """Return the folders below which the pages may read data: `TRANSFER_LAB_DATA_ROOTS`, separated like `PATH`.

    By default: the user's home, the folder the app was started in, the system's temporary folder and the places where data disks
    are usually mounted. What was uploaded may always be read. The command line is not bound by it, since whoever has a shell can
    read those files anyway.
    """
    given = os.environ.get(DATA_ROOTS_VARIABLE)
    if given:
        named = tuple(absolute(part).resolve() for part in given.split(os.pathsep) if part)
        return (*named, uploads(home()).resolve())
    mounted = map(Path, ("/data", "/mnt", "/media", "/srv"))
    return tuple(path.resolve() for path in (absolute("~"), Path.cwd(), Path(tempfile.gettempdir()), *mounted, uploads(home())))


def require_allowed(path: Path) -> None:
    """Raise `SettingError` unless `path`, with links followed, lies below one of `data_roots()`."""
    try:
        resolved = path.resolve()
    except (OSError, ValueError) as error:
        raise SettingError(
            f"This cannot be a path ({error}).", "Give the path of a folder on this machine.", received=path
        ) from None
    roots = data_roots()
    if not any(resolved.is_relative_to(root) for root in roots):
        raise SettingError(
            "This folder lies outside the folders that the dashboard may read.",
            f"Choose one below {', '.join(map(str, roots))}, or start the app with {DATA_ROOTS_VARIABLE} naming another root.",
            received=path,
        )
