"""Texts as networks take them, against scikit-learn."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from tl_core.data.texts import Texts
from tl_core.data.tokens import MOST_COUNTED, PADDING, UNKNOWN, WordCounts, WordIndices, document_frequencies, words_of

SAID = ("The cat sat on the mat, and the CAT slept.", "A dog.", "", "naïve Äpfel 中文字 2,5 % e-mail@example.com cat")


def texts(*said: str) -> Texts:
    return Texts(said, np.zeros(len(said), np.int64))


def test_words_are_those_of_scikit_learn() -> None:
    analyse = CountVectorizer().build_analyzer()
    assert [words_of(text) for text in SAID] == [analyse(text) for text in SAID]


def test_words_are_counted_as_scikit_learn_does() -> None:
    vectorizer = CountVectorizer().fit(SAID)
    vocabulary = [str(word) for word in vectorizer.get_feature_names_out()]
    counts = WordCounts(vocabulary, len(vocabulary) + 3).encode(texts(*SAID), np.arange(4))
    np.testing.assert_array_equal(counts[:, :-3], vectorizer.transform(SAID).toarray())
    assert not counts[:, -3:].any()
    often = WordCounts(["cat"], 1).encode(texts("cat " * 1000), np.arange(1))
    assert often.tolist() == [[MOST_COUNTED]]


def test_the_words_in_most_texts_come_first() -> None:
    assert document_frequencies(texts(*SAID), 3) == {"cat": 2, "and": 1, "com": 1}


def test_indices_say_what_is_unknown_and_where_a_text_ends() -> None:
    found = WordIndices(["cat", "the"], 6)
    encoded = found.encode(texts(*SAID), np.array([1, 0, 2]))
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [
        [UNKNOWN, *[PADDING] * 5],
        [UNKNOWN + 2, UNKNOWN + 1, UNKNOWN, UNKNOWN, UNKNOWN + 2, UNKNOWN],
        [PADDING] * 6,
    ]
    assert found.truncated(texts(*SAID)) == 2


def test_the_key_says_all_that_decides() -> None:
    keys = {WordIndices(["a", "b"], 4).key, WordIndices(["a", "b"], 5).key, WordIndices(["b", "a"], 4).key}
    assert len(keys | {WordCounts(["a", "b"], 4).key}) == 4
