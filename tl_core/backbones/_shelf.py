"""Networks that people have brought in ONNX files: each has a folder in the home, with the file and what was found of it when it
came. Nothing of one is there before all of it is known to work."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tl_core.analysis.statements import size
from tl_core.backbones import backbones
from tl_core.backbones._scaling import Scaling
from tl_core.errors import SettingError, WeightsError, printable
from tl_core.networks.download import file_digest
from tl_core.networks.onnx_graph import GraphFacts, examined, refused
from tl_core.system.adapters import adapter
from tl_core.system.files import new_folder

FOLDER, GRAPH, ABOUT = "networks", "network.onnx", "about.json"
LARGEST = 2**31
"""Bytes. No ONNX file in one piece is larger, since protobuf, of which it is made, ends there."""
MARK, LETTERS = "@", 12
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


@dataclass(frozen=True)
class Brought:
    """A network on the shelf: its name, what it expects of pixels, the tensor that its features are (None for its first result),
    the sha256 of its file, and what is known of it."""

    name: str
    pixels: Scaling
    output: str | None
    digest: str
    facts: GraphFacts


def graph_file(home: Path, name: str) -> Path:
    """Return where the file of a network is kept."""
    return home / FOLDER / name / GRAPH


def brought(home: Path) -> tuple[Brought, ...]:
    """Return the networks on the shelf of `home`, by name."""
    return tuple(filter(None, (_read(file) for file in sorted((home / FOLDER).glob(f"[!.]*/{ABOUT}")))))


def whole(home: Path, network: str) -> str:
    """Return the name of a network with the beginning of its digest, such as "mine@0f3a52c811de", so that it means no other one
    that is called so later; what is given where there is none of that name."""
    found = None if MARK in network else find(home, network)
    return f"{found.name}{MARK}{found.digest[:LETTERS]}" if found else network


def find(home: Path, network: str) -> Brought | None:
    """Return the network of that name, which may be `whole`; None where there is none."""
    name, _, digest = network.partition(MARK)
    is_name = re.fullmatch(rf"\.?{NAME}", name)  # and no way out of the folder
    found = _read(graph_file(home, name).with_name(ABOUT)) if is_name else None
    return found if found and found.digest.startswith(digest) else None


def bring(home: Path, name: str, path: Path, pixels: Scaling, output: str | None) -> Brought:
    """Put a copy of the ONNX file at `path` on the shelf, once an image has passed it.

    Args:
        home: The folder of all that is stored.
        name: What the network is called from now on.
        path: The file.
        pixels: What it expects in place of pixels within 0..255.
        output: The tensor that is its features; None for its first result.

    Raises:
        SettingError: For a name that is none, or is taken.
        WeightsError: Where the file is none that can serve.
        StorageError: Where it cannot be kept.
    """
    _require_free(name)
    return put(home, name, path, pixels, output)


def put(home: Path, name: str, path: Path, pixels: Scaling, output: str | None) -> Brought:
    """Put a copy of the file on the shelf whatever its name is.

    Args:
        home, name, path, pixels, output: As in `bring`.

    Raises:
        WeightsError: As `bring`.
        StorageError: As `bring`.
    """
    _require_file(path)
    with new_folder(graph_file(home, name).parent) as folder:
        copy = folder / GRAPH
        _copy(path, copy)
        found = Brought(name, pixels, output, file_digest(copy), examined(copy, path, output, pixels.affine()))
        (folder / ABOUT).write_bytes(adapter(Brought).dump_json(found))
    return found


def _read(file: Path) -> Brought | None:
    try:
        return adapter(Brought).validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None


def _require_free(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise SettingError(
            "This is no name for a network.",
            "Take letters, digits, dots, underscores and hyphens, at most 64 of them.",
            received=printable(name),
        )
    known = {entry.title.casefold(): entry for part in backbones.parts().values() for entry in part.catalogue()}
    if taken := known.get(name.casefold()):
        way_out = f", or remove it first: python -m tl_core weights remove {taken.title}" if taken.brought else "."
        raise SettingError("There is a network of that name.", f"Take another name{way_out}", received=name)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise WeightsError("This file is not there.", "Give the path of an ONNX file.", received=printable(str(path)))
    if not (taken := path.stat().st_size):
        raise refused(path, "is empty")
    if taken > LARGEST:
        raise refused(path, f"has {size(taken)}, and an ONNX file in one piece at most {size(LARGEST)}")


def _copy(path: Path, place: Path) -> None:
    """Copy a file. What cannot be read is the file's fault, and what cannot be written the disk's."""
    try:
        source = path.open("rb")
    except OSError as error:
        raise refused(path, f"cannot be read ({error.strerror})", "Let this user read it.") from None
    with source, place.open("wb") as target:
        shutil.copyfileobj(source, target)
