"""What one should know of data, of a fit and of how features were computed, as facts. `wording` puts them into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator

from tl_core.notes.note_kind import NoteKind

MOST_NAMED = 5
"""Names that a note keeps of those that it counts: a dataset may leave out any number of files."""


@dataclass(frozen=True)
class Note:
    """One thing to know. Its `kind` says what `numbers`, `names` and `about` are. All texts can be printed."""

    kind: NoteKind
    numbers: tuple[int | float, ...] = ()
    names: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def counting(cls, kind: NoteKind, names: Sequence[str], about: Sequence[str] = ()) -> Self:
        """Return a note on so many `names`, of which it keeps the first `MOST_NAMED`."""
        return cls(kind, (len(names),), tuple(names[:MOST_NAMED]), tuple(about))


def _told(value: Any) -> Any:
    return Note(NoteKind.OTHER, text=value) if isinstance(value, str) else value


StoredNote = Annotated[Note, BeforeValidator(_told)]
"""A note in a stored file, where it was a sentence before."""
