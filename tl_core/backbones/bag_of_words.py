"""Words counted: the control that any transfer of texts must beat."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tl_core.backbones import CatalogueEntry, Provenance, register
from tl_core.backbones._texts import OwnWords
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.tokens import WordCounts
from tl_core.networks.blocks import cut_into_blocks
from tl_core.networks.outline import Network

WORDS = 10_000
COUNTED = Provenance(source="the training texts", licence="none needed", learned_from="how rare each word is in them")


@register("bag_of_words")
class BagOfWords(OwnWords):
    """The words of a text counted, rare ones for more than common ones, whatever their order (TF-IDF).

    With a linear probe on it this is what people build without transfer: scikit-learn's TfidfVectorizer and a logistic
    regression. The words, and how rare they are, are those of the training texts. Nothing was pretrained.
    """

    title: ClassVar[str] = "Bag of words"
    listing_order: ClassVar[int] = 80
    unit: ClassVar[str] = "words"
    size_setting: ClassVar[str] = "backbone.words"
    minimum_size: ClassVar[int] = 1
    is_control: ClassVar[bool] = True

    words: int = Field(
        WORDS,
        ge=1,
        le=100_000,
        title="Words",
        description="How many words count: those that are in the most training texts.",
    )

    @classmethod
    def catalogue(cls) -> tuple[CatalogueEntry, ...]:
        """Return the one way of counting; `parameters` are those of the default number of words."""
        return (
            CatalogueEntry(
                title=cls.title,
                settings={},
                parameters=WORDS,
                accuracy=None,
                reference=None,
                learned_from=COUNTED.learned_from,
                licence=COUNTED.licence,
                here=True,
                weights=COUNTED.source,
                pretrained=False,
            ),
        )

    @property
    def most_words(self) -> int:
        return self.words

    @property
    def own_size(self) -> int:
        return self.words

    def with_size(self, size: int) -> Self:
        return self.model_copy(update={"words": size})

    def preprocessor(self, size: int) -> Preprocessor:
        return WordCounts(self.vocabulary[:size], size)

    def require_weights(self) -> None:
        """Return always: there is nothing to have."""

    def load(self, size: int, *, pretrained: bool) -> Network:
        """Return the network: counts (batch, size) of words to (batch, size) of them by their rarity, of length 1.

        Where it was adapted to no texts, or nothing is `pretrained`, each word counts the same.
        """
        self.require_size(size)
        import keras

        counts = keras.Input((size,), dtype="float32", name="counts")
        rarity = keras.layers.EinsumDense("bv,v->bv", size, kernel_initializer="ones", name="rarity")
        model = keras.Model(counts, keras.layers.UnitNormalization(name="unit")(rarity(counts)), name=self.name)
        if pretrained:
            rarity.set_weights([self._rarities(size)])
        return Network(model, cut_into_blocks(model, "(rarity)"), COUNTED)

    def _rarities(self, size: int) -> NDArray[np.float32]:
        """Return ln((1 + n) / (1 + texts with it)) + 1 of each word, of n texts, as scikit-learn's TfidfTransformer has it."""
        known = np.zeros(size)
        known[: len(self.vocabulary)] = list(self._frequencies.values())[:size]
        return (np.log((1 + self._texts) / (1 + known)) + 1).astype(np.float32)
