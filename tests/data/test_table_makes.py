"""Makes of tables that programs write and that name themselves badly, or not at all."""

from pathlib import Path

import pytest

from tl_core.data.formats.tables import read_table
from tl_core.errors import DataError

PLAIN = "text,label\nüber,a\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace(",", "|").encode(),
        f"\n \n{PLAIN}".replace(",", ";").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\n\n").encode(),
        b'"text", "label"\n"\xc3\xbcber", "a"\n',
    ],
)
def test_every_make_gives_the_same_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    frame = read_table(tmp_path / "a.csv")
    assert frame.columns.tolist() == ["text", "label"]
    assert frame.to_numpy().tolist() == [["über", "a"]]


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,label\na,b,c\n")
    with pytest.raises(DataError, match="Two columns of this table are called label"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(",text,label,\n0,a,b,\n")
    assert read_table(tmp_path / "a.csv").columns.tolist() == ["Unnamed: 0", "text", "label", "Unnamed: 3"]


@pytest.mark.parametrize("content", [b"\0", b"\0\0\0", b"a\0", b"\xff\xfe\0\0", b"\xff\xfe", b"\n\n", b"\xef\xbb\xbf", b"\0a\0"])
def test_no_beginning_of_a_table_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match="This table "):
        read_table(tmp_path / "a.csv")
