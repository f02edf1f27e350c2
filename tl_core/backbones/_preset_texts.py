"""How a preset of KerasHub reads texts: its tokens, and the mean of what its network gives of them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.backbones._bert import token_mask
from tl_core.backbones._keras_hub import UNREADABLE, Preset, digest_of
from tl_core.backbones._texts import MARKS, tokens
from tl_core.data.preprocessor import Preprocessor
from tl_core.data.texts import Texts
from tl_core.data.tokens import Tokens
from tl_core.errors import WeightsError

TOKENIZER, ASSETS = "tokenizer.json", "assets/tokenizer"


class PresetTokens(Preprocessor):
    """A text by the indices of its pieces in the tokenizer of a preset, between the marks of its beginning and its end: int32
    (length,), with the tokenizer's padding behind."""

    dtype: np.dtype[Any] = np.dtype(np.int32)

    def __init__(self, preset: Preset, length: int) -> None:
        self.shape = (length,)
        self._from = preset

    @cached_property
    def key(self) -> tuple[object, ...]:
        place = self._from.place
        files = [place / TOKENIZER, *sorted(file for file in (place / ASSETS).rglob("*") if file.is_file())] if place else []
        return "pieces of a preset", *self.shape, digest_of(files)

    @cached_property
    def _tokenizer(self) -> Any:
        import keras_hub

        try:
            return keras_hub.tokenizers.Tokenizer.from_preset(str(self._from.place or self._from.name))
        except UNREADABLE as error:
            raise self._from.unusable(error) from None

    @property
    def padding(self) -> int:
        """Return the index after the end of a text."""
        return int(self._tokenizer.pad_token_id)

    def encode(self, examples: Texts, indices: NDArray[np.intp]) -> Tokens:
        found = np.full((len(indices), *self.shape), self.padding, np.int32)
        for row, pieces in zip(found, self._pieces(examples, indices), strict=True):
            whole = [self._tokenizer.start_token_id, *pieces[: len(row) - MARKS], self._tokenizer.end_token_id]
            row[: len(whole)] = whole
        return found

    def truncated(self, examples: Texts) -> int:
        return sum(len(pieces) > self.shape[0] - MARKS for pieces in self._pieces(examples, np.arange(len(examples))))

    def _pieces(self, examples: Texts, indices: NDArray[np.intp]) -> list[Sequence[int]]:
        found = self._tokenizer([examples.read(int(index)) for index in indices]) if len(indices) else []
        return [list(map(int, pieces)) for pieces in found]


def mean_of_tokens(made: Any, size: int, preset: Preset) -> Any:
    """Return the flat model from tokens to the mean of what `made`, the network of a preset, gives of them, with its weights.

    One tensor leaves each layer, as in `_bert.py`: where a text has ended it is 0, and from that the next layer knows its mask.
    Raises `WeightsError` where it is no encoder of texts.
    """
    import keras

    source = tokens(size)
    asked = set(made.input) if isinstance(made.input, dict) else set()
    if not {"token_ids", "padding_mask"} <= asked <= {"token_ids", "padding_mask", "segment_ids"}:
        raise WeightsError(
            "This preset holds no encoder of texts that knows where a text ends.",
            "Choose one such as BERT, DistilBERT or RoBERTa.",
            received=f"{type(made).__name__} of {preset.place or preset.name}",
        )
    there = keras.ops.cast(keras.ops.not_equal(source, PresetTokens(preset, size).padding), "int32")
    given = {"token_ids": source, "padding_mask": there, "segment_ids": keras.ops.zeros_like(source)}
    masked = _Masked(there)
    said = made._run_through_graph({name: given[name] for name in asked}, call_fn=masked)
    masked.copy_weights()
    x = said["sequence_output"] if isinstance(said, dict) else said
    # In 16 bits a sum over many tokens would lose what tells them apart.
    there, x = (keras.ops.cast(each, "float32") for each in (token_mask(x), x))
    mean = keras.ops.sum(x, axis=1) / keras.ops.maximum(keras.ops.sum(there, axis=1), 1.0)
    return keras.Model(source, mean, name=made.name)


class _Masked:
    """Makes each layer of a network anew, with a mask that is had from its own input in place of the one of all. (The layers
    themselves would go on telling the shapes that they have in the network.)"""

    def __init__(self, mask: Any) -> None:
        self._mask = mask
        self._made: dict[int, tuple[Any, Any]] = {}
        self._begun = False

    def copy_weights(self) -> None:
        """Give the layers that were made the weights of those that they stand for."""
        for former, made in self._made.values():
            made.set_weights(former.get_weights())

    def _anew(self, operation: Any) -> Any:
        import keras

        if not isinstance(operation, keras.layers.Layer):
            return operation
        _, made = self._made.get(id(operation)) or (None, type(operation).from_config(operation.get_config()))
        self._made[id(operation)] = operation, made
        return made

    def __call__(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        import keras

        operation = self._anew(operation)
        takes = [name for name, value in kwargs.items() if value is self._mask]
        if not self._begun and takes:
            args = (args[0] * keras.ops.cast(keras.ops.expand_dims(self._mask, -1), args[0].dtype), *args[1:])
            self._begun = True
        if not self._begun or not _is_sequence(args[0]):
            return operation(*args, **kwargs)
        there = token_mask(args[0])
        said = operation(*args, **kwargs | dict.fromkeys(takes, keras.ops.cast(keras.ops.squeeze(there, -1), self._mask.dtype)))
        return said * there if _is_sequence(said) else said


def _is_sequence(value: Any) -> bool:
    """Return whether it is a tensor (batch, length, width)."""
    return len(getattr(value, "shape", ())) == 3
