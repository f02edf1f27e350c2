"""Notes on data, fits and features: values, which are stored, and one place that words them."""

from tl_core.notes.naming import LEFT_OUT, listed
from tl_core.notes.note import MOST_NAMED, Note, StoredNote
from tl_core.notes.note_kind import NoteKind
from tl_core.notes.wording import sentence, sentences

__all__ = ["LEFT_OUT", "MOST_NAMED", "Note", "NoteKind", "StoredNote", "listed", "sentence", "sentences"]
