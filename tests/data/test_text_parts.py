"""Texts cut into parts, and read without each of them."""

import pytest

from tl_core.data.text_parts import WithoutEach, grouped, together, words_in, words_read
from tl_core.data.tokens import WordCounts, WordIndices

TEXT = "  One two,\n three\tfour five. "
VOCABULARY = ("one", "two", "three", "four", "five")


def read(text: str, size: int) -> list[str]:
    without = WithoutEach.of(text, grouped(words_in(text), size))
    return [without.read(index) for index in range(len(without))]


def test_one_word_is_missing_and_no_gap_stays() -> None:
    assert read(TEXT, 1) == [
        TEXT,
        "  two,\n three\tfour five. ",
        "  One three\tfour five. ",
        "  One two,\n four five. ",
        "  One two,\n three\tfive. ",
        "  One two,\n three\tfour",
    ]
    assert read("one", 1) == ["one", ""]
    assert read(" \n", 1) == [" \n"]


@pytest.mark.parametrize(("words", "size"), [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (2000, 200)])
def test_there_are_never_more_parts_than_asked_for(words: int, size: int) -> None:
    text = " ".join(f"word{number}" for number in range(words))
    spans = words_in(text)
    assert together(words, 10) == size
    parts = grouped(spans, size)
    assert len(parts) == -(-words // size) <= 10
    assert "".join(text[begin:end] for begin, end in parts) == text


@pytest.mark.parametrize(("length", "known"), [(2, 2), (5, 5), (9, 5)])
def test_what_the_network_reads_is_found_by_its_input(length: int, known: int) -> None:
    assert words_read(WordIndices(VOCABULARY, length), TEXT, words_in(TEXT)) == known
    assert words_read(WordIndices(VOCABULARY, length), "", []) == 0


@pytest.mark.parametrize(("vocabulary", "known"), [(("one",), 1), (("two", "four"), 4), (("none",), 0)])
def test_a_counter_of_words_reads_to_the_last_that_it_knows(vocabulary: tuple[str, ...], known: int) -> None:
    assert words_read(WordCounts(vocabulary, 8), TEXT, words_in(TEXT)) == known
