"""What networks that take texts have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from tl_core.backbones import Backbone
from tl_core.data.examples import Examples, Modality
from tl_core.data.texts import Texts
from tl_core.data.tokens import document_frequencies
from tl_core.errors import DataError

PIECES_PER_WORD, MARKS = 1.5, 2
"""About the pieces that a word of English is cut into, and those that mark where a text begins and ends."""


class TextBackbone(Backbone):
    """A source of networks that take texts."""

    accepts: ClassVar[Modality] = Modality.TEXTS


class TokenBackbone(TextBackbone):
    """A source of networks that take the first tokens of a text, in their order."""

    unit: ClassVar[str] = "tokens"
    size_setting: ClassVar[str] = "backbone.sequence_length"
    minimum_size: ClassVar[int] = 4
    useful_size: ClassVar[int] = 16
    native_size: ClassVar[int] = 256
    size_step: ClassVar[int] = 16

    sequence_length: int | None = Field(
        None,
        ge=4,
        le=512,
        title="Sequence length",
        description="Tokens of a text that the network reads; what comes after them it never sees. Empty follows the texts.",
        json_schema_extra={"empty": "follows the texts"},
    )

    @property
    def own_size(self) -> int | None:
        return self.sequence_length

    def with_size(self, size: int) -> Self:
        return self.model_copy(update={"sequence_length": size})


class PieceBackbone(TokenBackbone):
    """A source of networks whose tokens are pieces of words, between two marks."""

    def fitting_size(self, typical: int | None) -> int:
        """Return the tokens for texts of so many words."""
        return super().fitting_size(None if typical is None else int(PIECES_PER_WORD * typical) + MARKS)


class OwnWords(TextBackbone):
    """A source whose networks know the words of the texts that they are trained on."""

    adapts: ClassVar[bool] = True

    _frequencies: Mapping[str, int] = {}
    _texts: int = 0

    @property
    @abstractmethod
    def most_words(self) -> int:
        """Return how many words it knows at most."""

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Return its words, the commonest first; none before it was adapted to texts."""
        return tuple(self._frequencies)

    def adapted_to(self, examples: Examples) -> Self:
        """Return the same with the words of the `examples`. Raises `DataError` where there are none."""
        found = document_frequencies(examples, self.most_words) if isinstance(examples, Texts) else {}
        if not found:
            raise DataError(
                "There is no word in the training texts.", "Choose other texts.", received=f"{len(examples)} examples"
            )
        same = self.model_copy()
        same._frequencies, same._texts = found, len(examples)
        return same


def tokens(length: int) -> Any:
    """Return the input of a network that takes so many tokens of a text."""
    import keras

    return keras.Input((length,), dtype="int32", name="tokens")
