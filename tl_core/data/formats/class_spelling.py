"""One name for a class whose folders are spelled in several ways, as file systems, archives and people do."""

import unicodedata
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from tl_core.data.class_names import spelling_key
from tl_core.errors import printable
from tl_core.notes import MOST_NAMED, Note, NoteKind


def joined_by_name(splits: Mapping[str, Mapping[str, list[Path]]]) -> tuple[dict[str, dict[str, list[Path]]], list[Note]]:
    """Return the paths of each split, "train" among them, with one name for each class, and notes on what was joined.

    Names that differ in Unicode's normal form alone are one (macOS writes é as two characters): the composed one. A name that the
    training images lack is that of theirs from which it differs in case, or in what separates its words, alone, if there is one.
    """
    joined: dict[str, dict[str, list[Path]]] = {}
    spellings: dict[str, set[str]] = {}
    for split, classes in splits.items():
        joined[split] = {}
        for name, paths in classes.items():
            composed = unicodedata.normalize("NFC", name)
            joined[split].setdefault(composed, []).extend(paths)
            spellings.setdefault(composed, set()).add(name)
    twice = [name for name, spelled in spellings.items() if len(spelled) > 1]
    renamed = [each for split in joined if split != "train" for each in _renamed(split, joined[split], joined["train"])]
    notes = [Note.counting(NoteKind.FOLDERS_JOINED, list(map(printable, twice)))] if twice else []
    if renamed:
        names = tuple(map(printable, chain(*renamed[:MOST_NAMED])))
        notes.append(Note(NoteKind.FOLDERS_SPELLED_OTHERWISE, (len(renamed),), names))
    return joined, notes


def _renamed(split: str, classes: dict[str, list[Path]], train: Mapping[str, list[Path]]) -> list[tuple[str, str, str]]:
    """Rename the classes of a split that training lacks as training spells them, and return what was renamed: its
    name, the split and its name there."""
    by_key: dict[str, list[str]] = {}
    for name in train:
        by_key.setdefault(spelling_key(name), []).append(name)
    told = []
    for name in [name for name in classes if name not in train]:
        near = by_key.get(spelling_key(name), [])
        if len(near) == 1 and near[0] not in classes:
            classes[near[0]] = classes.pop(name)
            told.append((near[0], split, name))
    return told
