"""Datasets of Hugging Face's library: a folder on this machine, of which nothing outside is read, or one of the hub, which is
given nothing of this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tl_core.data.formats.paths import leads_to
from tl_core.errors import DataError, printable

DICT, STATE = "dataset_dict.json", "state.json"
"""What `save_to_disk` leaves in a folder: the first for several splits, the second for each."""

CARDS = {"README.md": "{}", ".huggingface.yaml": "---\n{}\n---\n"}
"""Where a folder that was not saved is described, and how each becomes a card."""

FETCHED = ("hf://", "https://")
"""What the address of a file begins with that comes from the hub, or from where its card says."""


def tables_of(library: Any, folder: Path, configuration: str | None) -> Any:
    """Return the tables in `folder` (resolved), read by `library`: what it saved there, or files that it can read.

    Raises `DataError` before anything outside the folder is read: its README, or what was saved, may name any file. Raises what
    the library raises.
    """
    if any((folder / name).is_file() for name in (DICT, STATE)):
        for file in _saved(folder):
            _require_inside(file, folder)
        return library.load_from_disk(str(folder))
    for pattern in _described(library, folder):
        if "://" in pattern or "::" in pattern:  # which the library would fetch to see what is there
            raise _outside(pattern)
    builder = library.load_dataset_builder(str(folder), configuration)
    for files in (builder.config.data_files or {}).values():
        for file in files:
            _require_inside(Path(file), folder)
    builder.download_and_prepare()
    return builder.as_dataset()


def tables_of_hub(library: Any, repository: str, configuration: str | None) -> Any:
    """Return the tables of a `repository` on the hub, or what of it is on this machine already.

    Raises `DataError` before a file is read that is not the hub's: a card may name any file of this machine. Raises what the
    library raises.
    """
    builder = library.load_dataset_builder(repository, configuration)
    for file in _texts(dict(builder.config.data_files or {})):
        if not file.startswith(FETCHED):
            raise _outside(file)
    builder.download_and_prepare()
    return builder.as_dataset()


def _saved(folder: Path) -> Iterator[Path]:
    """Yield the files that a saved dataset says it is made of, each before it is read."""
    places = [folder]
    if (folder / DICT).is_file():
        yield folder / DICT
        places = [folder / str(name) for name in json.loads((folder / DICT).read_bytes())["splits"]]
    for place in places:
        yield place / STATE
        listed = json.loads((place / STATE).read_bytes()).get("_data_files") or []
        yield from (place / str(file["filename"]) for file in listed)


def _described(library: Any, folder: Path) -> Iterator[str]:
    """Yield where the dataset's descriptions, of which the library reads two, say that its files are."""
    for name, card in CARDS.items():
        if (folder / name).is_file():
            _require_inside(folder / name, folder)
            described = library.load.DatasetCard(card.format((folder / name).read_text(encoding="utf-8"))).data.to_dict()
            yield from _texts(
                [given.get(field) for given in described.get("configs") or [] for field in ("data_files", "data_dir")]
            )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in lists and dictionaries within each other."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _require_inside(file: Path, folder: Path) -> None:
    if leads_to(file, folder) is None:
        raise _outside(str(file))


def _outside(file: str) -> DataError:
    return DataError(
        "A file that belongs to this dataset is not there, or lies outside of its folder.",
        "Give the folder that holds all of it.",
        received=printable(file)[:200],
    )
