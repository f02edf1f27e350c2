"""A BERT encoder of Keras' own layers, from tokens to one vector a sentence.

One tensor leaves each layer: where a text has ended it is 0, and from that the next layer knows its mask again. So the network
can be cut above any layer, and what lies below kept, as it can with images.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tl_core.networks.blocks import Block, cut_into_blocks

EPSILON = 1e-12
"""Of the layer norms, in the paper's own code."""
LAYER = r"layer(\d+)_"


@dataclass(frozen=True)
class BertSize:
    """How large an encoder is: its layers, their width, the heads of attention, the width inside, and what it can tell apart."""

    layers: int
    width: int
    heads: int
    inner_width: int
    vocabulary: int
    positions: int


def sentence_encoder(size: BertSize, source: Any, name: str) -> Any:
    """Return the model from `source`, tokens (batch, length) int32 with 0 after the end, to the mean of what the last layer gives
    of them, of length 1: (batch, width) float32.

    As Devlin et al. 2019 (arXiv 1810.04805) and Reimers and Gurevych 2019 (arXiv 1908.10084) have it, without dropout.
    """
    import keras

    there = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(source, 0), "float32"), -1)
    places = keras.ops.cumsum(keras.ops.ones_like(source), axis=1) - 1
    words = keras.layers.Embedding(size.vocabulary, size.width, name="embedding_words")(source)
    x = words + keras.layers.Embedding(size.positions, size.width, name="embedding_positions")(places)
    x = keras.layers.LayerNormalization(epsilon=EPSILON, name="embedding_norm")(x) * there
    for number in range(size.layers):
        x = _layer(x, size, f"layer{number}")
    # An empty text has its marks of beginning and end, so that there is always something to take the mean of.
    there = token_mask(x)
    mean = keras.ops.sum(x, axis=1) / keras.ops.maximum(keras.ops.sum(there, axis=1), 1.0)
    return keras.Model(source, keras.layers.UnitNormalization(dtype="float32", name="unit")(mean), name=name)


def token_mask(x: Any) -> Any:
    """Return 1 where `x` (batch, length, width) holds a token, 0 where all of it is 0: (batch, length, 1)."""
    import keras

    return keras.ops.cast(keras.ops.any(keras.ops.not_equal(x, 0), axis=-1, keepdims=True), x.dtype)


def _layer(x: Any, size: BertSize, name: str) -> Any:
    import keras
    from keras import layers

    there = token_mask(x)
    attention = layers.MultiHeadAttention(size.heads, size.width // size.heads, name=f"{name}_attention")
    seen = keras.ops.cast(keras.ops.transpose(there, (0, 2, 1)), "bool")
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_attention_norm")(x + attention(x, x, attention_mask=seen))
    inner = layers.Dense(size.inner_width, "gelu", name=f"{name}_inner")(x)
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(x + layers.Dense(size.width, name=f"{name}_outer")(inner))
    return x * there


def blocks_of(model: Any) -> tuple[Block, ...]:
    """Return the embedding and each layer as a block."""
    return cut_into_blocks(model, LAYER)


def set_weights(model: Any, size: BertSize, file: Path) -> None:
    """Lay the weights of a safetensors file in Hugging Face's naming into `model`. Raises `KeyError` and `ValueError` where they
    do not fit, and what `safetensors` raises of a file that is none."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as found:
        given = {key.removeprefix("bert."): found.get_tensor(key) for key in found.keys()}  # noqa: SIM118  # no dictionary
    model.get_layer("embedding_words").set_weights([given["embeddings.word_embeddings.weight"]])
    # All tokens here are of the first of two segments.
    segment = given["embeddings.token_type_embeddings.weight"][0]
    model.get_layer("embedding_positions").set_weights([given["embeddings.position_embeddings.weight"] + segment])
    _set_norm(model, "embedding_norm", given, "embeddings.LayerNorm")
    for number in range(size.layers):
        there, here = f"encoder.layer.{number}", f"layer{number}"
        heads = size.heads, size.width // size.heads
        projections = [
            part
            for each in ("query", "key", "value")
            for part in (
                given[f"{there}.attention.self.{each}.weight"].T.reshape(size.width, *heads),
                given[f"{there}.attention.self.{each}.bias"].reshape(heads),
            )
        ]
        merged = given[f"{there}.attention.output.dense.weight"].T.reshape(*heads, size.width)
        projections += [merged, given[f"{there}.attention.output.dense.bias"]]
        model.get_layer(f"{here}_attention").set_weights(projections)
        _set_norm(model, f"{here}_attention_norm", given, f"{there}.attention.output.LayerNorm")
        _set_dense(model, f"{here}_inner", given, f"{there}.intermediate.dense")
        _set_dense(model, f"{here}_outer", given, f"{there}.output.dense")
        _set_norm(model, f"{here}_norm", given, f"{there}.output.LayerNorm")


def _set_norm(model: Any, layer: str, given: dict[str, Any], name: str) -> None:
    model.get_layer(layer).set_weights([given[f"{name}.weight"], given[f"{name}.bias"]])


def _set_dense(model: Any, layer: str, given: dict[str, Any], name: str) -> None:
    model.get_layer(layer).set_weights([given[f"{name}.weight"].T, given[f"{name}.bias"]])
