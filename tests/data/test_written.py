"""Texts that somebody has: one a line, or in a column of a table; and what is refused."""

from pathlib import Path

import pytest

from tl_core.data.formats import written
from tl_core.data.formats.written import is_path, texts_in
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind


def test_texts_come_from_lines_and_from_tables(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes("\ufeffone \N{SNOWMAN}\r\n\r\n  \r\ntwo\n".encode())
    (tmp_path / "table.csv").write_text('label,Review\nx,"three, at last"\ny,\n', encoding="utf-16")
    found = texts_in([tmp_path / "lines.txt", tmp_path / "table.csv"], None)
    assert found.texts == found.names == ("one \N{SNOWMAN}", "two", "three, at last")
    assert found.notes == (Note(NoteKind.BLANK_TEXTS, (3,)),)
    assert found.examples().read(1) == "two"
    assert texts_in([tmp_path / "table.csv"], "label").texts == ("x", "y")


@pytest.mark.parametrize(
    ("name", "content", "column", "what"),
    [
        ("gone.txt", None, None, "There is no such file of texts."),
        ("picture.png", b"x", None, "This is no file of texts."),
        ("empty.txt", b"\n \n", None, "There is no text here."),
        ("latin.txt", "caf\xe9 au lait".encode("latin-1"), None, "This file of texts cannot be read: it is no text in UTF-8"),
        ("broken.txt", b"\xff\xfea", None, "This file of texts cannot be read: it is no text in UTF-8"),
        ("binary.txt", b"a\n" + bytes(9), None, "This file of texts cannot be read: it holds characters of the value 0"),
        ("binary.csv", b"text\n\x85", None, "This file of texts cannot be read: it is no text in UTF-8"),
        ("table.csv", b"a,b\n1,2\n", None, "No column holds the texts"),
        ("table.csv", b"a,b\n1,2\n", "c", "There is no column 'c' for the texts."),
        ("large.txt", b"x" * 101, None, "These are more than 0 MB of texts."),
    ],
)
def test_what_holds_no_texts_is_told(
    name: str, content: bytes | None, column: str | None, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "MOST_BYTES", 100)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        texts_in([tmp_path / name], column)
    assert str(caught.value).startswith(what)


def test_too_many_texts_and_none_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST_BYTES", 100)
    file = tmp_path / "much.txt"
    file.write_text("x" * 60)
    for files, what in (([file, file], "These are more than"), ([], "No text is given.")):
        with pytest.raises(DataError, match=what):
            texts_in(files, None)


def test_what_must_be_a_path_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my reviews").mkdir()
    paths = ("reviews.csv", "mine.TXT", "/nowhere/reviews", "./reviews", "my reviews")
    texts = ("It ends in mine.txt", "fine", "good and/or bad", "x" * 9000)
    assert [is_path(each) for each in (*paths, *texts)] == [True] * len(paths) + [False] * len(texts)
    with pytest.raises(DataError, match="This is a folder, and no file of texts"):
        texts_in([tmp_path / "my reviews"], None)
