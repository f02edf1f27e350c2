"""A folder of Hugging Face's library on this machine, of which nothing outside is read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tl_core.datasets.files import leads_to
from tl_core.datasets.images import printable
from tl_core.errors import DataError

DICT, STATE = "dataset_dict.json", "state.json"
"""What `save_to_disk` leaves in a folder: the first for several splits, the second for each."""


def tables_of(library: Any, folder: Path, configuration: str | None) -> Any:
    """The tables in `folder` (resolved), by `library`: what it saved there, or files that it can read.

    Raises `DataError` before anything outside the folder is read: its README, or what was saved, may name any file. Raises what
    the library raises.
    """
    if any((folder / name).is_file() for name in (DICT, STATE)):
        for file in _saved(folder):
            _require_inside(file, folder)
        return library.load_from_disk(str(folder))
    builder = library.load_dataset_builder(str(folder), configuration)
    for files in (builder.config.data_files or {}).values():
        for file in files:
            _require_inside(Path(file), folder)
    builder.download_and_prepare()
    return builder.as_dataset()


def _saved(folder: Path) -> Iterator[Path]:
    """The files that a saved dataset says it is made of, each before it is read."""
    places = [folder]
    if (folder / DICT).is_file():
        yield folder / DICT
        places = [folder / str(name) for name in json.loads((folder / DICT).read_bytes())["splits"]]
    for place in places:
        yield place / STATE
        listed = json.loads((place / STATE).read_bytes()).get("_data_files") or []
        yield from (place / str(file["filename"]) for file in listed)


def _require_inside(file: Path, folder: Path) -> None:
    if leads_to(file, folder) is None:
        raise DataError(
            "A file that belongs to this dataset is not there, or lies outside of its folder.",
            "Give the folder that holds all of it.",
            received=printable(str(file)),
        )
