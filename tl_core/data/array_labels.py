"""Labels and names of classes that come as NumPy arrays."""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tl_core.data.class_names import label_text, printable_names
from tl_core.data.examples import Labels
from tl_core.errors import DataError, printable
from tl_core.notes import Note, NoteKind


class Values(NamedTuple):
    """The different `values` of an array, whole numbers or texts, and the place among them of each entry (n,)."""

    values: list[Any]
    places: NDArray[np.intp]

    @property
    def are_text(self) -> bool:
        """Return whether they are texts."""
        return any(isinstance(value, str) for value in self.values)


def values_of(array: NDArray[Any], name: str, each: str, next_step: str) -> Values:
    """Return what is in `array` (n,) or (n, 1), whose name in its file is `name`: whole numbers or texts, one for `each` of
    something. Raises `DataError` with the `next_step` for anything else."""
    column = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if column.ndim != 1 or column.dtype.kind not in "iubUS" or not _is_unicode(column):
        what = f"The array {name} is not one whole number or one text for each {each}."
        raise DataError(what, next_step, received=f"{array.dtype} {array.shape}")
    found, places = np.unique(column, return_inverse=True)
    values = found.tolist()
    return Values(list(map(label_text, values)) if column.dtype.kind in "US" else values, places)


def _is_unicode(column: NDArray[Any]) -> bool:
    """Return whether text in `column` (n,) is made of characters that exist: a damaged file may hold any number for one."""
    if column.dtype.kind != "U":
        return True
    characters = np.frombuffer(column.tobytes(), np.dtype("u4").newbyteorder(column.dtype.byteorder))
    return bool(characters.max(initial=0) <= sys.maxunicode)


def classes_of_arrays(
    labels: Mapping[str, Values], names: Values | None, notes: list[Note]
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    """Return the names of the classes, and the class of each example by split; `notes` get what is to be said of the names.

    With `names`, whole numbers are places among these and texts are some of them; without, each label is a class. Raises
    `DataError` for labels that name no class.
    """
    if any(each.are_text for each in labels.values()):
        labels = {split: Values(list(map(str, each.values)), each.places) for split, each in labels.items()}
    known = {value for each in labels.values() for value in each.values}
    if names is None:
        code = {value: number for number, value in enumerate(sorted(known))}
        class_names = printable_names(list(map(str, code)))
    else:
        spelled = [str(names.values[place]) for place in names.places]
        code = _codes(known, spelled)
        class_names = printable_names(spelled)
        if apart := [new for old, new in zip(spelled, class_names, strict=True) if new != printable(old)]:
            notes.append(Note(NoteKind.CLASSES_NUMBERED, names=tuple(apart)))
    return class_names, {
        split: np.array([code[value] for value in each.values], np.int64)[each.places] for split, each in labels.items()
    }


def _codes(known: set[Any], names: list[str]) -> dict[Any, int]:
    """Return the class of each label in `known`. Raises `DataError` for one that has no name."""
    if any(isinstance(value, str) for value in known):
        code = {name: number for number, name in reversed(list(enumerate(names)))}
        if unknown := sorted(known - code.keys()):
            raise DataError(
                "A label is none of the class_names.", "Give each label its name, or leave out class_names.", received=unknown[0]
            )
        return code
    if known and not 0 <= min(known) <= max(known) < len(names):
        raise DataError(
            f"There are {len(names)} class names, and labels from {min(known)} to {max(known)}.",
            "Number the labels from 0, in the order of class_names.",
        )
    return {number: number for number in known}
