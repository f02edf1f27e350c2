"""What a note names, in words: as many of its names as a sentence bears."""

from collections.abc import Callable, Mapping, Sequence

from tl_core.notes.note import MOST_NAMED, Note
from tl_core.notes.note_kind import NoteKind

FEW = 3
"""Names that are told of what was left out or spelled otherwise."""

LEFT_OUT = {
    NoteKind.EMPTY_CLASS_FOLDERS: "Class folders without an image",
    NoteKind.DEVICES: "Devices and pipes",
    NoteKind.FILES_BESIDE_CLASSES: "Files beside the class folders",
    NoteKind.FILES_WITHOUT_IMAGE_NAMES: "Files that are not images by their name",
    NoteKind.FOLDERS_BESIDE_SPLITS: "Folders beside train, validation and test",
    NoteKind.FOLDERS_IN_CLASSES: "Folders inside class folders",
    NoteKind.HIDDEN_FILES: "Hidden files and folders",
    NoteKind.LINKS_OUT: "Links that lead out of the dataset or nowhere",
    NoteKind.LINKED_FOLDERS: "Links to folders",
    NoteKind.LINKED_TWICE: "Links to images that are here already",
    NoteKind.ARCHIVES_IN_ARCHIVE: "Archives within in the archive",
    NoteKind.SAME_NAMES_IN_ARCHIVE: "Files of the same name in the archive",
    NoteKind.OTHER_FILES_IN_ARCHIVE: "Files that are neither images nor tables in the archive",
    NoteKind.NAMELESS_IN_ARCHIVE: "Files without a name in the archive",
    NoteKind.HIDDEN_IN_ARCHIVE: "Hidden files in the archive",
    NoteKind.MISSING_IMAGES: "Images that are not there",
    NoteKind.IMAGES_OF_SEVERAL_LABELS: "Images listed with several labels, of which nobody knows the right one",
    NoteKind.REPEATED_ROWS: "Rows of an image that was listed before",
    NoteKind.UNUSED_ARRAYS: "Arrays without a use, or without their labels",
}
"""What was left out."""


def named(note: Note) -> str:
    """Return what a note names, in words."""
    return NAMES.get(note.kind, _all)(note)


def listed(names: Sequence[str], count: int | None = None, what: str = "classes") -> str:
    """Return the first few of the `names` of classes, or `what` they are of, and how many more there are, of `count` (default:
    all `names`)."""
    more = (len(names) if count is None else count) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more {what}" if more > 0 else "")


def _all(note: Note) -> str:
    return ", ".join(note.names)


def _classes(note: Note) -> str:
    return listed(note.names, int(note.numbers[0]))


def _labels(note: Note) -> str:
    return listed(note.names, int(note.numbers[0]), "labels")


def _few(note: Note) -> str:
    return ", ".join(note.names[:FEW]) + _others(note)


def _others(note: Note) -> str:
    return ", and others" if note.numbers[0] > FEW else ""


def _value(note: Note) -> str:
    return _all(note) or "nothing"


def _values(note: Note) -> str:
    return ", ".join(note.names[:FEW]) + (" and others" if note.numbers[0] > FEW else "")


def _splits(note: Note) -> str:
    *others, last = note.names
    return f"{', '.join(others)} and {last}" if others else last


def _too(note: Note) -> str:
    return f", and so do: {_all(note)}" if note.names else ""


def _renamed(note: Note) -> str:
    pairs = list(zip(note.names[::2], note.names[1::2], strict=True))[:FEW]
    return ", ".join(f"{new} for {old!r}" for new, old in pairs) + _others(note)


def _joined(note: Note) -> str:
    return _several(note, note.names)


def _spelled(note: Note) -> str:
    triples = zip(note.names[::3], note.names[1::3], note.names[2::3], strict=True)
    return _several(note, [f"{name!r}, in {split} {spelled!r}" for name, split, spelled in triples])


def _otherwise(note: Note) -> str:
    pairs = zip(note.names[::2], note.names[1::2], strict=True)
    return _several(note, [f"{name!r} is {spelled!r}" for name, spelled in pairs])


def _shares(note: Note) -> str:
    pairs = zip(note.names, note.numbers[::2], note.numbers[1::2], strict=True)
    return ", ".join(f"{name} {100 * here:.0f} % ({100 * there:.0f} %)" for name, here, there in pairs)


def _several(note: Note, told: Sequence[str]) -> str:
    more = int(note.numbers[0]) - FEW
    return "; ".join(told[:FEW]) + (f", and {more:,} more" if more > 0 else "")


def _similar(note: Note) -> str:
    rest = iter(note.names)
    groups = [" and ".join(next(rest) for _ in range(int(number))) for number in note.numbers]
    return "; ".join(groups[:FEW])


NAMES: Mapping[NoteKind, Callable[[Note], str]] = {
    **dict.fromkeys(LEFT_OUT, _few),
    NoteKind.CLASSES_WITHOUT_TRAINING: _classes,
    NoteKind.CLASSES_WITHOUT_TEST: _classes,
    NoteKind.CLASSES_WITHOUT_ROWS: _classes,
    NoteKind.CLASSES_NOT_HERE: _classes,
    NoteKind.LABELS_NOT_HERE: _labels,
    NoteKind.SPLIT_OF_OTHER_CLASSES: _classes,
    NoteKind.LABELS_WITHOUT_TRAINING: _labels,
    NoteKind.LABELS_WITHOUT_TEST: _labels,
    NoteKind.LABELS_WITHOUT_ROWS: _labels,
    NoteKind.FOLDERS_RENAMED: _renamed,
    NoteKind.FOLDERS_JOINED: _joined,
    NoteKind.FOLDERS_SPELLED_OTHERWISE: _spelled,
    NoteKind.SIMILAR_CLASSES: _similar,
    NoteKind.CLASSES_SPELLED_OTHERWISE: _otherwise,
    NoteKind.OTHER_CLASS_SHARES: _shares,
    NoteKind.OTHER_LABEL_SHARES: _shares,
    NoteKind.COLUMN_OF_ONE_VALUE: _value,
    NoteKind.COLUMN_WITHOUT_SPLITS: _values,
    NoteKind.COLUMN_WITHOUT_NUMBERS: _values,
    NoteKind.COLUMN_TELLS_CLASS: _too,
    NoteKind.COLUMN_TELLS_NUMBER: _too,
    NoteKind.NEARLY_BLACK: _splits,
    NoteKind.NEARLY_CONSTANT: _splits,
}
"""How the names of a note are told, where not one after the other."""
