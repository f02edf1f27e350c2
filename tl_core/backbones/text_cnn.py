"""A small convolutional network over words without pretrained weights."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from tl_core.backbones import CatalogueEntry, ScratchDefaults, register
from tl_core.backbones._texts import OwnWords, TokenBackbone, tokens
from tl_core.backbones._untrained import Untrained, listing
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.tokens import UNKNOWN, WordIndices
from tl_core.networks.blocks import Block, cut_into_blocks

WORDS, WIDTH, KERNEL = 10_000, 64, 3


@register("text_cnn")
class TextCNN(OwnWords, TokenBackbone, Untrained):
    """An embedding of words and a convolution over three at a time, trained from random weights.

    The strongest answer of each of its channels anywhere in the text is a feature (Kim 2014, arXiv 1408.5882). Its words are the
    commonest ones of the training texts.
    """

    title: ClassVar[str] = "Text CNN"
    listing_order: ClassVar[int] = 95
    controls: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    scratch: ClassVar[ScratchDefaults] = ScratchDefaults(epochs=30, learning_rate=2e-3, batch_size=32)

    words: int = Field(
        WORDS, ge=1, le=100_000, title="Words", description="How many words it knows: those that are in the most training texts."
    )
    width: int = Field(WIDTH, ge=4, le=512, title="Width", description="Numbers of a word, and channels of the convolution.")

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the one network; `parameters` are those at the default width."""
        return (listing(cls.title, {}, WIDTH * (WORDS + UNKNOWN + 1) + KERNEL * WIDTH**2 + WIDTH),)

    @property
    def most_words(self) -> int:
        return self.words

    def preprocessor(self, size: int) -> Preprocessor:
        return WordIndices(self.vocabulary, size)

    def source(self, size: int) -> tuple[Any, Any]:
        found = tokens(size)
        return found, found

    def features(self, x: Any) -> Any:
        """Return features (batch, width) of tokens (batch, length)."""
        from keras import layers

        x = layers.Embedding(self.words + UNKNOWN + 1, self.width, name="stage1_words")(x)
        x = layers.Conv1D(self.width, KERNEL, padding="same", activation="relu", name="stage2_conv")(x)
        return layers.GlobalMaxPooling1D(name="strongest")(x)

    def blocks(self, model: Any) -> tuple[Block, ...]:
        """Return the embedding and the convolution."""
        return cut_into_blocks(model, r"stage(\d)_")
