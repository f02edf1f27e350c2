"""A text encoder as MiniLM, a thousand times smaller and with random weights, in the place of the real one."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from tl_core.backbones import CatalogueEntry
from tl_core.backbones._bert import BertSize, blocks_of, sentence_encoder
from tl_core.backbones._texts import TokenBackbone, tokens
from tl_core.backbones._untrained import RANDOM, listing
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.tokens import WordIndices
from tl_core.networks.outline import Network

SIZE = BertSize(layers=2, width=16, heads=2, inner_width=32, vocabulary=256, positions=64)
WORDS = ("the", "return", "function", "of", "matrix", "random", "filter", "signal", "compute", "image")


class TinyBert(TokenBackbone):
    """Two layers; it knows ten words, and its weights count as pretrained."""

    name: ClassVar[str] = "tiny_bert"
    title: ClassVar[str] = "Tiny BERT"
    sequence_length: int | None = Field(12)

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        return (listing(cls.title, {}, 1),)

    def require_weights(self) -> None:
        return

    def preprocessor(self, size: int) -> Preprocessor:
        return WordIndices(WORDS, size)

    def load(self, size: int, *, pretrained: bool) -> Network:
        model = sentence_encoder(SIZE, tokens(size), self.name)
        return Network(model, blocks_of(model), RANDOM)


def padded(lengths: tuple[int, ...], size: int) -> Any:
    """Return tokens of texts of these lengths, (n, size) int32."""
    drawn = np.random.default_rng(0).integers(1, SIZE.vocabulary, (len(lengths), size)).astype(np.int32)
    return np.where(np.arange(size) < np.array(lengths)[:, np.newaxis], drawn, 0).astype(np.int32)
