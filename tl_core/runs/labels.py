"""What people say of a run: its name, tags, star and note, and whether it is archived. Training knows nothing of it."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from tl_core.errors import RunError, SettingError, is_visible, printable
from tl_core.runs.store import Run, Store

MOST_LETTERS = {"name": 80, "tag": 30, "note": 2000}
"""Characters of each label."""
MOST_TAGS = 12


def rename(store: Store, run_id: str, name: str, *, seen: str | None = None) -> None:
    """Name a run; a blank `name` takes its name away. Two runs may have one name.

    `seen` is the name that the asker saw, None standing for any. Raises `RunError` where it is another one by now, and
    `SettingError` where `name` is too long or holds what cannot be seen.
    """
    store.update(run_id, partial(_replaced, "name", line("name", name), seen))


def annotate(store: Store, run_id: str, note: str, *, seen: str | None = None) -> None:
    """Give a run another note, of one or more lines; `seen` as for `rename`. Raises `RunError` and `SettingError`."""
    text = "\n".join(_visible("note", row.rstrip()) for row in note.strip().splitlines())
    store.update(run_id, partial(_replaced, "note", _bounded("note", text), seen))


def tag(store: Store, run_id: str, *, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
    """Add tags to a run and take others away; what others add at the same time stays. Raises `SettingError` for a tag that is
    blank, too long, or one too many."""
    added, removed = [tag_of(text) for text in add], {line("tag", text).casefold() for text in remove}

    def changed(run: Run) -> Mapping[str, Any]:
        kept = {tag.casefold(): tag for tag in (*run.tags, *added) if tag.casefold() not in removed}
        if len(kept) > max(MOST_TAGS, len(run.tags)):
            raise SettingError(f"A run has at most {MOST_TAGS} tags.", "Remove some first.", received=", ".join(kept.values()))
        return {"tags": sorted(kept.values(), key=str.casefold)}

    store.update(run_id, changed)


def star(store: Store, run_id: str, on: bool = True) -> None:
    """Mark a run as a favourite, or not."""
    store.update(run_id, lambda _: {"starred": on})


def archive(store: Store, run_id: str, on: bool = True) -> None:
    """Leave a run out of the lists, or bring it back. Raises `RunError` where it waits or works. One that is resumed comes back
    by itself."""

    def changed(run: Run) -> Mapping[str, Any]:
        if on and run.state.alive:
            raise RunError(
                f"A run that is {run.state} cannot be archived.", "Stop it first, or wait for its end.", received=run_id
            )
        return {"archived": on}

    store.update(run_id, changed)


def tags_of(runs: Sequence[Run]) -> list[str]:
    """Return every tag of `runs` once, in alphabetical order."""
    return sorted({tag for run in runs for tag in run.tags}, key=lambda tag: (tag.casefold(), tag))


def tag_of(text: str) -> str:
    """Return the tag that `text` means. Raises `SettingError`."""
    found = line("tag", text)
    if not found:
        raise SettingError("A tag is blank.", "Give it at least one letter.")
    return found


def line(kind: str, text: str) -> str:
    """Return `text` as a label of one line, in one spelling whoever typed it. Raises `SettingError`."""
    return _bounded(kind, _visible(kind, " ".join(text.split())))


def _visible(kind: str, text: str) -> str:
    if not all(map(is_visible, text)):
        raise SettingError(f"The {kind} holds a character that cannot be seen.", "Leave it out.", received=printable(text))
    return unicodedata.normalize("NFC", text)


def _bounded(kind: str, text: str) -> str:
    if len(text) > MOST_LETTERS[kind]:
        raise SettingError(f"A {kind} has at most {MOST_LETTERS[kind]:,} characters.", "Shorten it.", received=f"{len(text):,}")
    return text


def _replaced(column: str, value: str, seen: str | None, run: Run) -> Mapping[str, Any]:
    stored = getattr(run, column)
    if seen not in {None, stored}:
        said = f"Somebody has changed the {column} of this run meanwhile."
        raise RunError(said, "Look at the new one, and change it again.", received=value)
    return {column: value}
